package org.aionos.gateway;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.aionos.gateway.DoorConnector.AgentDoor;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Presented;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes a request through route, body, credentials and rate to its endpoint. */
final class ApiHandler extends Handler.Abstract {

  private static final Logger log = LoggerFactory.getLogger(ApiHandler.class);

  private final Kernel kernel;
  private final Routes routes;
  private final Strangers strangers;
  private final Buckets tenantRates;
  private final int bodyBytesMax;
  private final Semaphore bodyRoom;
  private final EventStream.Bounds streams;

  ApiHandler(
      Kernel kernel,
      Routes routes,
      Strangers strangers,
      Buckets tenantRates,
      int bodyBytesMax,
      int bodiesBytesMax,
      EventStream.Bounds streams) {
    this.kernel = kernel;
    this.routes = routes;
    this.strangers = strangers;
    this.tenantRates = tenantRates;
    this.bodyBytesMax = bodyBytesMax;
    this.bodyRoom = new Semaphore(bodiesBytesMax);
    this.streams = streams;
  }

  @Override
  public boolean handle(Request request, Response response, Callback callback) {
    AgentDoor door = DoorConnector.doorOf(request);
    Exchange exchange = new Exchange(request, response, callback, streams, door);
    if (door != null) {
      if (!door.enter()) {
        exchange.answer(Problem.of(Code.RESTARTING, "this way to the kernel is being closed"), "");
        return true;
      }
      Request.addCompletionListener(request, failure -> door.leave());
    }
    Routes.Match match;
    try {
      match = routes.find(request.getMethod(), request.getHttpURI().getPath());
    } catch (Refused unknown) {
      refuseStranger(exchange, unknown);
      return true;
    }
    exchange.matched(match.segments());
    if (request.getLength() > bodyBytesMax) {
      refuseStranger(exchange, BodyReader.tooLarge(bodyBytesMax));
    } else if (request.getLength() == 0) {
      serve(exchange, match);
    } else {
      new BodyReader(
              request,
              bodyBytesMax,
              door == null ? bodyRoom : door.bodyRoom(),
              body -> {
                exchange.received(body);
                serve(exchange, match);
              },
              why -> refuseStranger(exchange, why))
          .run();
    }
    return true;
  }

  private void serve(Exchange exchange, Routes.Match match) {
    try {
      if (!isOpen(match.route().access(), exchange)) {
        authenticate(exchange);
      }
      match.route().endpoint().serve(exchange);
    } catch (Stranger stranger) {
      refuseStranger(exchange, stranger.refused);
    } catch (Refused refused) {
      exchange.answer(refused.problem(), recordRefusal(exchange, refused.problem()));
    } catch (RuntimeException | Error bug) {
      log.error("kernel fault: path={}", match.route().pattern(), bug);
      exchange.answer(Problem.of(Code.KERNEL_FAULT, "a fault of the kernel; see its log"), "");
    }
  }

  private static boolean isOpen(Routes.Access access, Exchange exchange) {
    return switch (access) {
      case OPEN -> true;
      case LOCAL -> exchange.door() == null && isLoopback(exchange.address());
      case PROVEN -> false;
    };
  }

  private void authenticate(Exchange exchange) {
    AgentDoor door = exchange.door();
    Caller caller = door == null ? proven(exchange) : door.caller();
    exchange.authenticatedAs(caller);
    Duration wait = tenantRates.take(caller.tenant() == null ? "" : caller.tenant());
    if (!wait.isZero()) {
      // Not recorded one by one: a tenant in a loop must not be able to fill the journal with it.
      throw new Stranger(
          new Refused(
              Problem.later(
                  Code.RATE_LIMITED, "this tenant calls faster than its rate allows", wait)));
    }
  }

  private Caller proven(Exchange exchange) {
    try {
      for (String header : new String[] {"authorization", "x-tenant-id", "x-sig-hmac"}) {
        if (exchange.repeats(header)) {
          throw new Refused(Code.MALFORMED_REQUEST, "the header " + header + " was sent twice");
        }
      }
      return kernel
          .identity()
          .authenticate(
              new Presented(
                  exchange.method(), exchange.target(), exchange::header, exchange.body()));
    } catch (Refused refused) {
      if (refused.problem().code() == Code.RESTARTING) {
        // Not the caller's doing, so it must not use up what strangers are told per second.
        throw refused;
      }
      throw new Stranger(refused);
    }
  }

  private void refuseStranger(Exchange exchange, Refused refused) {
    Strangers.Refusal refusal = strangers.refuse(refused.problem(), exchange.address());
    exchange.answer(refusal.problem(), refusal.auditId());
  }

  /** A refusal after authentication is on record one by one: somebody answers for it. */
  private String recordRefusal(Exchange exchange, Problem problem) {
    if (problem.code() == Code.RESTARTING) {
      return "";
    }
    Caller caller = exchange.caller();
    try {
      return kernel
          .journal()
          .record(
              new Journal.Event(
                  "kernel.gateway",
                  "request.refused",
                  caller.tenant(),
                  Map.of(
                      "method", exchange.method(),
                      "path", path(exchange.target()),
                      "caller", caller.keyId(),
                      "code", problem.code().name(),
                      "message", problem.message())));
    } catch (Refused away) {
      return "";
    }
  }

  /** Without the query, which may hold anything, and cut to a sane length. */
  private static String path(String target) {
    int query = target.indexOf('?');
    String path = query < 0 ? target : target.substring(0, query);
    return path.length() > 200 ? path.substring(0, 200) : path;
  }

  private static boolean isLoopback(String address) {
    try {
      return InetAddress.getByName(address).isLoopbackAddress();
    } catch (UnknownHostException notAnAddress) {
      return false;
    }
  }

  /** Refused before anyone could be held to account for it. */
  private static final class Stranger extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Refused refused;

    Stranger(Refused refused) {
      super(refused.getMessage(), null, false, false);
      this.refused = refused;
    }
  }
}
