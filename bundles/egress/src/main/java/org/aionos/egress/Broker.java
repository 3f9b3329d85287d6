package org.aionos.egress;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.aionos.egress.EgressRules.Credential;
import org.aionos.egress.EgressRules.Rule;
import org.aionos.kernel.Code;
import org.aionos.kernel.Egress;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the requests that rules let out. Each hop of a request is judged, given the operator's
 * credentials for its host, sent, recorded and cleaned of those credentials on its way back.
 */
@Component(
    service = Egress.class,
    configurationPid = "org.aionos.egress",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = EgressConfig.class)
public final class Broker implements Egress {

  private static final Logger log = LoggerFactory.getLogger(Broker.class);

  private static final Set<String> METHODS =
      Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");

  /** They belong to the connection, or would let a request be read in two ways. */
  private static final Set<String> FORBIDDEN_HEADERS =
      Set.of(
          "host",
          "connection",
          "keep-alive",
          "content-length",
          "transfer-encoding",
          "te",
          "trailer",
          "upgrade",
          "expect",
          "accept-encoding",
          "proxy-authorization",
          "proxy-connection");

  /** What a caller says to one host must not reach another by a redirect. */
  private static final Set<String> PERSONAL_HEADERS = Set.of("authorization", "cookie");

  private static final Pattern HEADER_NAME = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}");
  private static final Pattern HEADER_VALUE =
      Pattern.compile("[\\x20-\\x7e\\x80-\\xff\\t]{0,8192}");

  /** Shorter ones would blank out half of an answer. */
  private static final int SECRET_LENGTH_MIN = 8;

  private static final String WITHHELD = "[withheld]";

  /** Bounds that the caller runs into. */
  record Limits(int requestBytesMax, int requestsInFlightMax, int redirectsMax) {}

  private final Limits limits;
  private final Rulings rulings;
  private final Wire publicWire;
  private final Wire privateWire;
  private final Journal journal;
  private final LongSupplier nanoClock;
  private final Semaphore free;
  private final Meters.Counter requests;
  private final Meters.Counter bytes;

  @Activate
  public Broker(
      EgressConfig config,
      BundleContext context,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters)
      throws Exception {
    this(
        new Limits(config.requestBytesMax(), config.requestsInFlightMax(), config.redirectsMax()),
        new Rulings(Path.of(String.valueOf(context.getProperty("aion.config"))), journal),
        wire(config, true),
        wire(config, false),
        journal,
        meters,
        System::nanoTime);
    open(Duration.ofMillis(config.watchMillis()));
  }

  Broker(
      Limits limits,
      Rulings rulings,
      Wire publicWire,
      Wire privateWire,
      Journal journal,
      Meters meters,
      LongSupplier nanoClock) {
    this.limits = limits;
    this.rulings = rulings;
    this.publicWire = publicWire;
    this.privateWire = privateWire;
    this.journal = journal;
    this.nanoClock = nanoClock;
    this.free = new Semaphore(limits.requestsInFlightMax());
    this.requests = meters.counter("aion_egress_requests_total", "Requests to the network", "code");
    this.bytes =
        meters.counter("aion_egress_bytes_total", "Bytes of bodies to and from it", "direction");
  }

  private static Wire wire(EgressConfig config, boolean publicOnly) {
    return new Wire(
        InetAddress::getAllByName,
        publicOnly,
        Duration.ofMillis(config.connectMillisMax()),
        Duration.ofMillis(config.idleMillisMax()),
        config.answerBytesMax(),
        new SslContextFactory.Client());
  }

  void open(Duration look) throws Exception {
    publicWire.start();
    privateWire.start();
    rulings.start(look);
  }

  @Deactivate
  void close() throws Exception {
    rulings.close();
    publicWire.close();
    privateWire.close();
  }

  @Override
  public Fetched fetch(Fetch request, Via via) throws InterruptedException {
    check(request);
    if (!free.tryAcquire()) {
      throw new Refused(
          Code.KERNEL_BUSY, "too many requests are on their way (egress.requests_in_flight_max)");
    }
    try {
      return follow(
          new Hop(
              request.method(), Target.of(request.url()), lower(request.headers()), request.body()),
          via,
          request.timeMax());
    } finally {
      free.release();
    }
  }

  /** One request of a chain of redirects. */
  @SuppressWarnings("ArrayRecordComponent") // Bytes are carried, never compared.
  private record Hop(String method, Target target, Map<String, String> headers, byte[] body) {

    /** The next one; what only this host should see is left behind. */
    private Hop to(Target next, int status) {
      boolean asGet = status == 303 || ((status == 301 || status == 302) && method.equals("POST"));
      Map<String, String> kept = new LinkedHashMap<>(headers);
      if (!next.isSameOriginAs(target)) {
        kept.keySet().removeAll(PERSONAL_HEADERS);
      }
      if (asGet) {
        kept.keySet().removeIf(name -> name.startsWith("content-"));
      }
      return new Hop(
          asGet && !method.equals("HEAD") ? "GET" : method, next, kept, asGet ? new byte[0] : body);
    }
  }

  private Fetched follow(Hop first, Via via, @Nullable Duration timeMax)
      throws InterruptedException {
    long begun = nanoClock.getAsLong();
    long nanosMax = timeMax == null ? Long.MAX_VALUE : timeMax.toNanos();
    Hop hop = first;
    for (int redirects = 0; ; redirects++) {
      Fetched answer = send(hop, via, nanosMax - (nanoClock.getAsLong() - begun));
      String location = answer.headers().get("location");
      if (!isRedirect(answer.status()) || location == null) {
        return answer;
      }
      if (redirects == limits.redirectsMax()) {
        throw new Refused(
            Code.UPSTREAM_UNAVAILABLE,
            "it redirects more than " + limits.redirectsMax() + " times (egress.redirects_max)");
      }
      hop = hop.to(resolved(hop.target(), location), answer.status());
    }
  }

  private static boolean isRedirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
  }

  private static Target resolved(Target from, String location) {
    try {
      return Target.of(from.url().resolve(location));
    } catch (IllegalArgumentException | Refused malformed) {
      // The server's doing, so not the caller's URL at fault.
      throw new Refused(
          Code.UPSTREAM_UNAVAILABLE, from.host() + " redirects to what may not be asked for");
    }
  }

  private Fetched send(Hop hop, Via via, long nanosMax) throws InterruptedException {
    long begun = nanoClock.getAsLong();
    EgressRules rules = rulings.rules();
    Rule rule = rules.admitting(hop.method(), hop.target(), via);
    String code = Code.KERNEL_FAULT.name();
    int status = 0;
    try {
      if (rule == null) {
        throw denied(hop, via);
      }
      Map<String, String> headers = new LinkedHashMap<>(hop.headers());
      List<String> secrets = inject(headers, rules, rule, hop.target());
      Wire wire = rule.privateToo() ? privateWire : publicWire;
      Fetched answer = wire.send(hop.method(), hop.target(), headers, hop.body(), nanosMax);
      code = Code.OK.name();
      status = answer.status();
      bytes.add(hop.body().length, "out");
      bytes.add(answer.body().length, "in");
      return cleaned(answer, secrets);
    } catch (Refused refused) {
      code = refused.problem().code().name();
      throw refused;
    } catch (InterruptedException deadline) {
      code = Code.TIMED_OUT.name();
      throw deadline;
    } finally {
      requests.add(1, code);
      record(hop, via, rule, code, status, begun);
    }
  }

  private static Refused denied(Hop hop, Via via) {
    return new Refused(
        Problem.of(
                Code.EGRESS_DENIED,
                "no egress rule lets "
                    + via.agent()
                    + (via.tool() == null ? "" : " by " + via.tool())
                    + " "
                    + hop.method()
                    + " "
                    + hop.target().scheme()
                    + "://"
                    + hop.target().host()
                    + ":"
                    + hop.target().port()
                    + hop.target().path())
            .admittedBy("a rule in config/egress.yaml"));
  }

  /** Puts the operator's credentials for a host into a request, over what the caller put there. */
  private List<String> inject(
      Map<String, String> headers, EgressRules rules, Rule rule, Target target) {
    List<String> used = new ArrayList<>();
    for (Credential credential : rules.credentials()) {
      if (credential.isFor(target) || (rule.privateToo() && credential.fits(target))) {
        String secret = rulings.secrets().get(credential.secret());
        if (secret == null) {
          throw new Refused(
              Code.UPSTREAM_UNAVAILABLE,
              "the operator has not set the credential " + credential.secret());
        }
        headers.put(credential.header(), secret);
        used.add(secret);
      }
    }
    return used;
  }

  /** An answer that repeats what it was sent must not tell a caller the operator's credentials. */
  private static Fetched cleaned(Fetched answer, List<String> secrets) {
    Map<String, String> headers = new LinkedHashMap<>(answer.headers());
    headers.remove("set-cookie");
    byte[] body = answer.body();
    for (String secret : parts(secrets)) {
      headers.replaceAll((name, value) -> value.replace(secret, WITHHELD));
      // Byte for byte, whatever the body is.
      String text = new String(body, StandardCharsets.ISO_8859_1);
      String bytesOfSecret =
          new String(secret.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
      if (text.contains(bytesOfSecret)) {
        body = text.replace(bytesOfSecret, WITHHELD).getBytes(StandardCharsets.ISO_8859_1);
      }
    }
    return new Fetched(answer.status(), headers, body, answer.url());
  }

  /** Of {@code Bearer abc} both the whole and {@code abc}. */
  private static List<String> parts(List<String> secrets) {
    List<String> parts = new ArrayList<>();
    for (String secret : secrets) {
      parts.add(secret);
      parts.addAll(List.of(secret.split("\\s+")));
    }
    parts.removeIf(part -> part.length() < SECRET_LENGTH_MIN);
    parts.sort((one, other) -> other.length() - one.length());
    return parts;
  }

  private void record(Hop hop, Via via, @Nullable Rule rule, String code, int status, long begun) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("asked", via.auditId());
    facts.put("agent", via.agent().toString());
    facts.put("tool", via.tool() == null ? EgressRules.NO_TOOL : via.tool());
    facts.put("method", hop.method());
    facts.put("host", hop.target().host() + ":" + hop.target().port());
    // Without the query, which may hold anything.
    facts.put("path", hop.target().path());
    facts.put("rule", rule == null ? "none" : rule.name());
    facts.put("code", code);
    facts.put("status", status);
    facts.put("latency_ms", (nanoClock.getAsLong() - begun) / 1_000_000);
    try {
      journal.record(
          new Journal.Event("kernel.egress", "egress.request", via.agent().tenant(), facts));
    } catch (Refused away) {
      log.error(
          "egress request not recorded: audit={} host={}", via.auditId(), hop.target().host());
    }
  }

  private void check(Fetch request) {
    if (!METHODS.contains(request.method())) {
      throw new Refused(
          Problem.at("/params/method", Code.INVALID_FIELD, "must be one of " + METHODS));
    }
    if (request.body().length > limits.requestBytesMax()) {
      throw new Refused(
          Problem.at(
              "/params/body",
              Code.INVALID_FIELD,
              "has more than " + limits.requestBytesMax() + " bytes (egress.request_bytes_max)"));
    }
    request.headers().forEach(Broker::checkHeader);
  }

  private static void checkHeader(String name, String value) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (!HEADER_NAME.matcher(name).matches() || !HEADER_VALUE.matcher(value).matches()) {
      throw new Refused(
          Problem.at("/params/headers", Code.INVALID_FIELD, "holds what is no HTTP header"));
    }
    if (FORBIDDEN_HEADERS.contains(lower)) {
      throw new Refused(
          Problem.at(
              "/params/headers",
              Code.INVALID_FIELD,
              "may not hold " + lower + ": it belongs to the connection"));
    }
  }

  private static Map<String, String> lower(Map<String, String> headers) {
    Map<String, String> lower = new LinkedHashMap<>();
    headers.forEach((name, value) -> lower.put(name.toLowerCase(Locale.ROOT), value));
    return lower;
  }
}
