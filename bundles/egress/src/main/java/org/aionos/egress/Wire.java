package org.aionos.egress;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.tool.Fetched;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.CompletableResponseListener;
import org.eclipse.jetty.client.ContentResponse;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.util.Promise;
import org.eclipse.jetty.util.SocketAddressResolver;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP client. It resolves a name and connects to the very addresses that it has looked at, so
 * that a name server which answers otherwise the second time gains nothing. It follows no redirect,
 * keeps no cookie, sends no header of its own but those that HTTP needs.
 */
final class Wire implements AutoCloseable {

  /** Turns a name into addresses. */
  @FunctionalInterface
  interface Names {
    InetAddress[] addresses(String host) throws UnknownHostException;
  }

  /** A name has none that may be reached. */
  private static final class NotPublic extends Exception {
    private static final long serialVersionUID = 1L;

    NotPublic() {
      super("the host has no public address");
    }
  }

  /** A rule may name all hosts below another, so the client must not remember each for ever. */
  private static final Duration HOST_REMEMBERED = Duration.ofMinutes(1);

  private final HttpClient client = new HttpClient();
  private final int answerBytesMax;

  /**
   * @param publicOnly whether addresses that are not public are refused
   */
  Wire(
      Names names,
      boolean publicOnly,
      Duration connectMax,
      Duration silenceMax,
      int answerBytesMax,
      SslContextFactory.Client tls) {
    this.answerBytesMax = answerBytesMax;
    client.setSslContextFactory(tls);
    client.setSocketAddressResolver(
        new SocketAddressResolver() {
          @Override
          public void resolve(
              String host,
              int port,
              Map<String, Object> context,
              Promise<List<InetSocketAddress>> promise) {
            Wire.resolve(names, publicOnly, host, port, promise);
          }
        });
    client.setConnectTimeout(connectMax.toMillis());
    client.setIdleTimeout(silenceMax.toMillis());
    client.setDestinationIdleTimeout(HOST_REMEMBERED.toMillis());
    client.setFollowRedirects(false);
    client.setHttpCookieStore(new HttpCookieStore.Empty());
    client.setUserAgentField(null);
    client.setName("aion-egress");
  }

  void start() throws Exception {
    // Jetty finds its parts through the loader of the thread that starts it.
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(HttpClient.class.getClassLoader());
    try {
      client.start();
    } finally {
      thread.setContextClassLoader(before);
    }
    // No compression: an answer must not be larger than its bytes.
    client.getContentDecoderFactories().clear();
  }

  @Override
  public void close() throws Exception {
    client.stop();
  }

  private static void resolve(
      Names names,
      boolean publicOnly,
      String host,
      int port,
      Promise<List<InetSocketAddress>> promise) {
    try {
      List<InetSocketAddress> reached = new ArrayList<>();
      for (InetAddress address : names.addresses(host)) {
        if (!publicOnly || Addresses.isPublic(address)) {
          reached.add(new InetSocketAddress(address, port));
        }
      }
      if (reached.isEmpty()) {
        promise.failed(new NotPublic());
      } else {
        promise.succeeded(reached);
      }
    } catch (UnknownHostException unknown) {
      promise.failed(unknown);
    }
  }

  /**
   * Makes one request. No redirect is followed.
   *
   * @param nanosMax within which the answer must be there whole
   * @throws Refused {@code EGRESS_DENIED} if the host has no address that may be reached, {@code
   *     UPSTREAM_UNAVAILABLE}, {@code RESULT_TOO_LARGE}
   */
  Fetched send(
      String method, Target target, Map<String, String> headers, byte[] body, long nanosMax)
      throws InterruptedException {
    Request request = client.newRequest(target.url()).method(method);
    request.headers(
        fields -> {
          headers.forEach(fields::put);
          fields.put("accept-encoding", "identity");
        });
    if (body.length > 0) {
      String type = headers.getOrDefault("content-type", "application/octet-stream");
      request.body(new BytesRequestContent(type, body));
    }
    CompletableFuture<ContentResponse> sent =
        new CompletableResponseListener(request, answerBytesMax).send();
    try {
      ContentResponse answer = sent.get(nanosMax, TimeUnit.NANOSECONDS);
      return new Fetched(
          answer.getStatus(), headers(answer), answer.getContent(), target.url().toString());
    } catch (InterruptedException deadline) {
      request.abort(deadline);
      throw deadline;
    } catch (TimeoutException late) {
      request.abort(late);
      throw new Refused(
          Code.UPSTREAM_UNAVAILABLE, target.host() + " did not answer within the time given");
    } catch (ExecutionException failed) {
      throw refused(failed.getCause(), target);
    }
  }

  private static Map<String, String> headers(ContentResponse answer) {
    Map<String, String> headers = new LinkedHashMap<>();
    for (HttpField field : answer.getHeaders()) {
      headers.merge(
          field.getLowerCaseName(),
          field.getValue() == null ? "" : field.getValue(),
          (one, more) -> one + ", " + more);
    }
    return headers;
  }

  private Refused refused(@Nullable Throwable why, Target target) {
    for (Throwable cause = why; cause != null; cause = cause.getCause()) {
      if (cause instanceof NotPublic) {
        return new Refused(
            Problem.of(
                    Code.EGRESS_DENIED,
                    target.host() + " is at an address that is not of the public network")
                .admittedBy("private: true in a rule of egress.yaml"));
      }
      if (cause instanceof IllegalArgumentException tooMuch
          && String.valueOf(tooMuch.getMessage()).contains("capacity")) {
        return new Refused(
            Code.RESULT_TOO_LARGE,
            "the answer has more than " + answerBytesMax + " bytes (egress.answer_bytes_max)");
      }
    }
    // Its kind, not its words: they may hold addresses of the operator's network.
    String kind = why == null ? "failure" : why.getClass().getSimpleName();
    return new Refused(Code.UPSTREAM_UNAVAILABLE, target.host() + " could not be asked: " + kind);
  }
}
