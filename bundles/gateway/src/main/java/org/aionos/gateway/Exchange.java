package org.aionos.gateway;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.gateway.DoorConnector.AgentDoor;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Role;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields.Field;
import org.jspecify.annotations.Nullable;

/** One request and its answer. Answered exactly once. */
final class Exchange {

  private static final HttpField JSON =
      new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, "application/json");
  private static final HttpField NO_STORE =
      new PreEncodedHttpField(HttpHeader.CACHE_CONTROL, "no-store");
  private static final HttpField NO_SNIFF =
      new PreEncodedHttpField("X-Content-Type-Options", "nosniff");

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final EventStream.Bounds streams;
  private final @Nullable AgentDoor door;
  private List<String> segments = List.of();
  private byte[] body = {};
  private @Nullable Caller caller;

  /**
   * @param door that it came through; null if it came by the port
   */
  Exchange(
      Request request,
      Response response,
      Callback callback,
      EventStream.Bounds streams,
      @Nullable AgentDoor door) {
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.streams = streams;
    this.door = door;
  }

  /** The door that it came through; null if it came by the port. */
  @Nullable AgentDoor door() {
    return door;
  }

  /** What the variable parts of the path stand for. */
  void matched(List<String> variables) {
    segments = variables;
  }

  void received(byte[] bytes) {
    body = bytes;
  }

  /** Empty until it was received. */
  byte[] body() {
    return body;
  }

  String method() {
    return request.getMethod();
  }

  /** Path and query exactly as sent. */
  String target() {
    return request.getHttpURI().getPathQuery();
  }

  /** The variable parts of the path, decoded. */
  String segment(int index) {
    return segments.get(index);
  }

  @Nullable String header(String name) {
    return request.getHeaders().get(name);
  }

  /** Whether a header was sent more than once: then nobody can say which one holds. */
  boolean repeats(String name) {
    boolean seen = false;
    // Asked several times a request, so it makes no list of the fields.
    for (HttpField field : request.getHeaders()) {
      if (field.is(name)) {
        if (seen) {
          return true;
        }
        seen = true;
      }
    }
    return false;
  }

  /** Whether the caller names a media type among those it takes. */
  boolean accepts(String mediaType) {
    for (HttpField field : request.getHeaders()) {
      if (field.is("accept") && field.contains(mediaType)) {
        return true;
      }
    }
    return false;
  }

  /** Where it came from: an address, or the agent whose door it came through. */
  String address() {
    if (door != null) {
      return String.valueOf(door.caller().agent());
    }
    return Request.getRemoteAddr(request);
  }

  void authenticatedAs(Caller proven) {
    caller = proven;
  }

  boolean isAuthenticated() {
    return caller != null;
  }

  Caller caller() {
    if (caller == null) {
      throw new IllegalStateException("this route does not authenticate");
    }
    return caller;
  }

  /** The body as one JSON object. */
  Fields document() {
    String type = header("content-type");
    if (type != null && !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
      throw new Refused(
          Code.UNSUPPORTED_MEDIA_TYPE, "send the body as Content-Type: application/json");
    }
    try {
      return Documents.json(body);
    } catch (InvalidDocument invalid) {
      throw refused(invalid);
    }
  }

  /** What a document's fault means on the wire. */
  static Refused refused(InvalidDocument invalid) {
    Code code =
        switch (invalid.fault()) {
          case NOT_UTF8 -> Code.INVALID_UTF8;
          case MALFORMED -> Code.MALFORMED_JSON;
          case DUPLICATE_KEY -> Code.DUPLICATE_KEY;
          case TOO_DEEP -> Code.TOO_DEEP;
          case MISSING -> Code.MISSING_FIELD;
          case INVALID -> Code.INVALID_FIELD;
        };
    return new Refused(Problem.at(invalid.pointer(), code, invalid.why()));
  }

  @Nullable String query(String name) {
    Field field = Request.extractQueryParameters(request, StandardCharsets.UTF_8).get(name);
    return field == null ? null : field.getValue();
  }

  int queryNumber(String name, int absent, int min, int max) {
    String text = query(name);
    if (text == null) {
      return absent;
    }
    try {
      int number = Integer.parseInt(text);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException notANumber) {
      // Refused below, like a number out of range.
    }
    throw new Refused(
        Code.INVALID_FIELD, "the query parameter " + name + " must be from " + min + " to " + max);
  }

  /**
   * The tenant a caller asks about: its own, or for an operator the one named in the query.
   *
   * @return null for all tenants
   */
  @Nullable String tenantAsked() {
    String named = query("tenant");
    String asked = named == null ? caller().tenant() : named;
    if (asked != null && !caller().maySee(asked)) {
      throw new Refused(Code.TENANT_MISMATCH, "this credential may not see tenant " + asked);
    }
    return asked;
  }

  void require(Role role) {
    if (!caller().has(role)) {
      throw new Refused(
          Problem.of(Code.ROLE_REQUIRED, "this call needs the role " + lower(role))
              .admittedBy("Authorization: Bearer <token of a person with that role>"));
    }
  }

  /** For what spans all tenants: a person of one tenant does not do. */
  void requireOfKernel(Role role) {
    require(role);
    if (caller().tenant() != null) {
      throw new Refused(
          Code.ROLE_REQUIRED, "this call needs a person who is not bound to one tenant");
    }
  }

  void requireAdministrator(String tenant) {
    if (!caller().administers(tenant)) {
      throw new Refused(
          Problem.of(Code.ROLE_REQUIRED, "this call needs the administrator of " + tenant)
              .admittedBy("the tenant's secret, or an operator's token"));
    }
  }

  static AgentId agentId(String text, String pointer) {
    try {
      return AgentId.parse(text);
    } catch (IllegalArgumentException invalid) {
      throw new Refused(
          Problem.at(pointer, Code.INVALID_FIELD, String.valueOf(invalid.getMessage())));
    }
  }

  void answer(int status, byte[] json) {
    send(status, JSON, json);
  }

  /** The end of a syscall. */
  void answer(Reply reply) {
    byte[] json = Answers.of(reply);
    if (reply.outcome() instanceof Outcome.Failed failed) {
      answer(failed.problem(), json);
    } else {
      answer(200, json);
    }
  }

  /**
   * Begins an answer that comes bit by bit.
   *
   * @param gone run once if the caller has hung up
   */
  EventStream events(Runnable gone) {
    return new EventStream(
            response, callback, request.getComponents().getScheduler(), streams, gone)
        .open();
  }

  void answer(Problem problem, String auditId) {
    answer(problem, Answers.of(problem, auditId, null));
  }

  /** Sends a failure whose JSON is ready. */
  void answer(Problem problem, byte[] json) {
    Duration retryAfter = problem.retryAfter();
    if (retryAfter != null) {
      long seconds = Math.max(1, (retryAfter.toMillis() + 999) / 1_000);
      response.getHeaders().put(HttpHeader.RETRY_AFTER, seconds);
    }
    if (problem.code() == Code.METHOD_NOT_ALLOWED && problem.admit() != null) {
      response.getHeaders().put(HttpHeader.ALLOW, problem.admit());
    }
    if (problem.code().httpStatus() == 401) {
      response.getHeaders().put(HttpHeader.WWW_AUTHENTICATE, "AION-HMAC, Bearer");
    }
    answer(problem.code().httpStatus(), json);
  }

  void send(int status, HttpField contentType, byte[] bytes) {
    response.setStatus(status);
    response
        .getHeaders()
        .add(contentType)
        .add(NO_STORE)
        .add(NO_SNIFF)
        .put(HttpHeader.CONTENT_LENGTH, bytes.length);
    response.write(true, ByteBuffer.wrap(bytes), callback);
  }

  static String lower(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }
}
