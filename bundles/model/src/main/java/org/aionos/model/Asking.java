package org.aionos.model;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.model.ProviderFailure.Kind;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks along a chain of routes until one answers. What fails before its first token is tried again
 * and then elsewhere; after it the call fails, for the caller has heard the beginning. All of it
 * runs on the thread of the call, and ends when that is interrupted.
 */
final class Asking {

  private static final Logger log = LoggerFactory.getLogger(Asking.class);

  private final Links links;
  private final Circuits circuits;
  private final ModelMeters meters;
  private final Heads heads;
  private final Pause pause;
  private final InstantSource clock;
  private final LongSupplier nanoClock;
  private final RandomGenerator random;

  Asking(
      Links links,
      Circuits circuits,
      ModelMeters meters,
      Pause pause,
      InstantSource clock,
      LongSupplier nanoClock,
      RandomGenerator random) {
    this.links = links;
    this.circuits = circuits;
    this.meters = meters;
    this.heads = new Heads(clock);
    this.pause = pause;
    this.clock = clock;
    this.nanoClock = nanoClock;
    this.random = random;
  }

  /**
   * One question and what bounds it.
   *
   * @param routes to be tried, in this order; at least one
   * @param configured whether the operator chose the routes; else the caller named one
   */
  record Bounds(
      ModelSettings settings,
      List<ModelSettings.Route> routes,
      boolean configured,
      Instant deadline) {}

  /**
   * @param text all of it, what was said before it was broken off included
   * @param isJson whether a schema was given, and it was no call of a tool
   * @param json its value then
   */
  record Answer(
      Said said, ModelSettings.Route route, String text, boolean isJson, @Nullable Object json) {}

  /** One request to one provider, from its first byte to its last. */
  @FunctionalInterface
  private interface Attempt<T> {
    T at(ModelSettings.Route route, Link link, Duration timeMax)
        throws ProviderFailure, InterruptedException;
  }

  /** Reads what an answer holds. */
  @FunctionalInterface
  interface Reader<T> {
    T read(ModelSettings.Route route, Fields answer) throws InvalidDocument, ProviderFailure;
  }

  // --- text -----------------------------------------------------------------------------------

  /**
   * @param tokensMax of the answer, what was said before included
   * @param sent told when the first request is on its way
   * @param heard told of each piece of the answer
   * @throws Refused {@code UPSTREAM_UNAVAILABLE}, {@code TOOL_BUSY}, {@code TOOL_FAILED}, {@code
   *     TIMED_OUT}, {@code RESULT_TOO_LARGE}, {@code RESULT_INVALID}, {@code INVALID_FIELD} if the
   *     provider has no such model
   */
  Answer generate(
      Bounds bounds,
      Generation asked,
      int tokensMax,
      Account account,
      Runnable sent,
      Consumer<Map<String, @Nullable Object>> heard)
      throws InterruptedException {
    return along(
        bounds,
        account::hasBegun,
        (route, link, timeMax) -> {
          Stream stream =
              new Stream(
                  bounds,
                  asked,
                  tokensMax,
                  account,
                  sent,
                  asked.check() == null ? heard : nobody -> {});
          return asked.check() == null
              ? stream.text(route, link, timeMax)
              : stream.json(route, link);
        });
  }

  /** One answer as it is said. */
  private final class Stream {

    private final Bounds bounds;
    private final Generation asked;
    private final int tokensMax;
    private final Account account;
    private final Runnable sent;
    private final Consumer<Map<String, @Nullable Object>> heard;

    Stream(
        Bounds bounds,
        Generation asked,
        int tokensMax,
        Account account,
        Runnable sent,
        Consumer<Map<String, @Nullable Object>> heard) {
      this.bounds = bounds;
      this.asked = asked;
      this.tokensMax = tokensMax;
      this.account = account;
      this.sent = sent;
      this.heard = heard;
    }

    Answer text(ModelSettings.Route route, Link link, Duration timeMax)
        throws ProviderFailure, InterruptedException {
      boolean goesOn =
          !account.before().isNothing()
              && route.provider().continuation() != ModelSettings.Continuation.NONE;
      Said said = said(route, link, timeMax, List.of());
      String begun = goesOn ? account.before().text() : "";
      return new Answer(said, route, begun + said.text(), false, null);
    }

    /** What is not of the schema is tried once more, with the fault shown. */
    Answer json(ModelSettings.Route route, Link link) throws ProviderFailure, InterruptedException {
      List<Map<String, @Nullable Object>> more = List.of();
      String fault = "";
      for (int tries = 0; tries < 2; tries++) {
        Said said = said(route, link, left(bounds.deadline()), more);
        if (said.hasToolCalls()) {
          return new Answer(said, route, said.text(), false, null);
        }
        JsonAnswer answer = JsonAnswer.of(said.text(), asked.check());
        if (answer.fault() == null) {
          return new Answer(said, route, said.text(), true, answer.value());
        }
        fault = answer.fault();
        more =
            List.of(
                Map.of("role", "assistant", "content", said.text()),
                Map.of(
                    "role",
                    "user",
                    "content",
                    "That is not valid: "
                        + fault
                        + " Answer again, with JSON of the schema and nothing else."));
      }
      throw new Refused(
          Code.RESULT_INVALID, route.name() + " answered twice, and not by the schema: " + fault);
    }

    private Said said(
        ModelSettings.Route route,
        Link link,
        Duration timeMax,
        List<Map<String, @Nullable Object>> more)
        throws ProviderFailure, InterruptedException {
      ModelSettings.Limits limits = bounds.settings().limits();
      Said said = new Said(limits.answerBytesMax());
      byte[] body = Documents.write(body(route, more));
      long begun = nanoClock.getAsLong();
      try (Exchange exchange = link.post("/chat/completions", body, timeMax)) {
        sent.run();
        heads.check(exchange, route.provider());
        account.begin(route, said, Tokens.about(body.length), canGoOn(route));
        listen(said, new Events(exchange, limits), route, begun);
        exchange.leave();
        account.settle();
        return said;
      } catch (InvalidDocument malformed) {
        dropIfSilent(said);
        throw new ProviderFailure(
            Kind.NONSENSE, "says what is no part of an answer, at " + malformed.pointer());
      } catch (ProviderFailure failed) {
        dropIfSilent(said);
        throw failed;
      } finally {
        if (said.hasBegun()) {
          meters.used(
              route.provider().name(), said.tokensIn(Tokens.about(body.length)), said.tokensOut());
        }
      }
    }

    private void dropIfSilent(Said said) {
      if (!said.hasBegun()) {
        account.drop();
      }
    }

    private boolean canGoOn(ModelSettings.Route route) {
      return asked.canGoOn() && route.provider().continuation() != ModelSettings.Continuation.NONE;
    }

    private void listen(Said said, Events events, ModelSettings.Route route, long begun)
        throws ProviderFailure, InterruptedException, InvalidDocument {
      for (Fields event = events.next(); event != null; event = events.next()) {
        boolean silent = !said.hasBegun();
        Map<String, @Nullable Object> more = said.take(event);
        if (!more.isEmpty()) {
          if (silent) {
            meters.firstToken(route.provider().name(), nanoClock.getAsLong() - begun);
          }
          heard.accept(more);
        }
      }
      if (said.finishReason() == null) {
        throw new ProviderFailure(Kind.UNAVAILABLE, "ended its answer in the midst of it");
      }
    }

    private Map<String, @Nullable Object> body(
        ModelSettings.Route route, List<Map<String, @Nullable Object>> more) {
      List<Map<String, @Nullable Object>> messages = new ArrayList<>(asked.messages());
      messages.addAll(more);
      Map<String, @Nullable Object> body = new LinkedHashMap<>();
      body.put("model", route.model());
      body.put("messages", messages);
      body.put("stream", true);
      body.put("stream_options", Map.of("include_usage", true));
      body.putAll(asked.settings());
      long tokens = tokensMax;
      Account.Begun before = account.before();
      if (!before.isNothing() && canGoOn(route)) {
        messages.add(Map.of("role", "assistant", "content", before.text()));
        tokens -= before.tokens();
        if (route.provider().continuation() == ModelSettings.Continuation.VLLM) {
          body.put("continue_final_message", true);
          body.put("add_generation_prompt", false);
        }
      }
      body.put("max_tokens", Math.max(1, tokens));
      if (asked.schema() != null) {
        body.put(
            "response_format",
            Map.of(
                "type",
                "json_schema",
                "json_schema",
                Map.of("name", "answer", "strict", true, "schema", asked.schema())));
      }
      return body;
    }
  }

  // --- vectors --------------------------------------------------------------------------------

  /**
   * @param body without the model
   * @param bytesMax of the answer
   */
  <T> T embed(Bounds bounds, Map<String, @Nullable Object> body, int bytesMax, Reader<T> reader)
      throws InterruptedException {
    return along(
        bounds,
        () -> false,
        (route, link, timeMax) -> {
          Map<String, @Nullable Object> whole = new LinkedHashMap<>(body);
          whole.put("model", route.model());
          try (Exchange exchange = link.post("/embeddings", Documents.write(whole), timeMax)) {
            heads.check(exchange, route.provider());
            return reader.read(route, Documents.json(Heads.body(exchange, bytesMax)));
          } catch (InvalidDocument malformed) {
            throw new ProviderFailure(
                Kind.NONSENSE, "answers with what are no vectors, at " + malformed.pointer());
          }
        });
  }

  // --- along the chain ------------------------------------------------------------------------

  private <T> T along(Bounds bounds, BooleanSupplier begun, Attempt<T> attempt)
      throws InterruptedException {
    List<String> tried = new ArrayList<>();
    ProviderFailure last = null;
    for (ModelSettings.Route route : bounds.routes()) {
      try {
        return at(route, bounds, begun, attempt);
      } catch (ProviderFailure failed) {
        tried.add(route.name() + " " + failed.why());
        last = failed;
        if (begun.getAsBoolean() || failed.kind() == Kind.LATE) {
          break;
        }
      }
    }
    if (last == null) {
      throw new IllegalArgumentException("there is no route to ask along");
    }
    throw refused(bounds, last, String.join("; ", tried));
  }

  private <T> T at(
      ModelSettings.Route route, Bounds bounds, BooleanSupplier begun, Attempt<T> attempt)
      throws ProviderFailure, InterruptedException {
    for (int attempts = 1; ; attempts++) {
      try {
        return once(route, bounds, attempt);
      } catch (ProviderFailure failed) {
        Duration wait = begun.getAsBoolean() ? null : wait(bounds, attempts, failed);
        if (wait == null) {
          throw failed;
        }
        pause.of(wait);
      }
    }
  }

  /** How long to wait before the next attempt at the same route; null for none. */
  private @Nullable Duration wait(Bounds bounds, int attempts, ProviderFailure failed) {
    ModelSettings.Retries retries = bounds.settings().retries();
    if (!failed.kind().isRetried() || attempts >= retries.attemptsMax()) {
      return null;
    }
    long backoff = retries.backoff().toMillis() << Math.min(attempts - 1, 20);
    // Between half of it and all of it, so that callers who failed together do not come together.
    long millis = backoff / 2 + (long) (random.nextDouble() * (backoff - backoff / 2));
    Duration asked = failed.retryAfter();
    Duration wait = Duration.ofMillis(Math.max(millis, asked == null ? 0 : asked.toMillis()));
    boolean late = wait.compareTo(left(bounds.deadline())) >= 0;
    return late || wait.compareTo(retries.waitMax()) > 0 ? null : wait;
  }

  private <T> T once(ModelSettings.Route route, Bounds bounds, Attempt<T> attempt)
      throws ProviderFailure, InterruptedException {
    String provider = route.provider().name();
    CircuitBreaker circuit = circuits.of(route);
    if (!circuit.tryAcquirePermission()) {
      meters.requested(provider, Kind.LEFT_ALONE);
      throw new ProviderFailure(
          Kind.LEFT_ALONE, "is left alone: it failed often", bounds.settings().breaking().open());
    }
    long begun = nanoClock.getAsLong();
    String outcome = "interrupted";
    boolean told = false;
    try {
      T answer = placed(route, bounds, attempt);
      circuit.onSuccess(nanoClock.getAsLong() - begun, TimeUnit.NANOSECONDS);
      told = true;
      outcome = "ok";
      return answer;
    } catch (ProviderFailure failed) {
      if (failed.kind() == Kind.MISCONFIGURED) {
        // Somebody has to act; how often it is said is bounded by the circuit.
        log.error("model provider: route={} why={}", route.name(), failed.why());
      }
      if (failed.kind().isCounted()) {
        circuit.onError(nanoClock.getAsLong() - begun, TimeUnit.NANOSECONDS, failed);
        told = true;
      }
      outcome = failed.kind().name().toLowerCase(java.util.Locale.ROOT);
      throw failed;
    } catch (Refused invalid) {
      outcome = "invalid";
      throw invalid;
    } finally {
      if (!told) {
        circuit.releasePermission();
      }
      meters.requested(provider, outcome);
    }
  }

  private <T> T placed(ModelSettings.Route route, Bounds bounds, Attempt<T> attempt)
      throws ProviderFailure, InterruptedException {
    Link link = links.enter(route.provider());
    try {
      if (!link.takePlace()) {
        throw new ProviderFailure(
            Kind.BUSY,
            "is asked " + route.provider().concurrencyMax() + " times at once (concurrency_max)");
      }
      try {
        return attempt.at(route, link, left(bounds.deadline()));
      } finally {
        link.givePlace();
      }
    } finally {
      link.leave();
    }
  }

  private Duration left(Instant deadline) {
    return Duration.between(clock.instant(), deadline);
  }

  private static Refused refused(Bounds bounds, ProviderFailure last, String tried) {
    String message = "no answer: " + tried;
    return switch (last.kind()) {
      case UNKNOWN_MODEL ->
          new Refused(
              bounds.configured()
                  ? Problem.of(Code.UPSTREAM_UNAVAILABLE, message)
                  : Problem.at("/params/model", Code.INVALID_FIELD, message));
      case REFUSED -> new Refused(Code.TOOL_FAILED, message);
      case BUSY -> new Refused(Code.TOOL_BUSY, message);
      case TOO_LARGE -> new Refused(Code.RESULT_TOO_LARGE, message);
      case LATE -> new Refused(Code.TIMED_OUT, message);
      case UNAVAILABLE, LEFT_ALONE, NONSENSE, MISCONFIGURED -> {
        Duration wait = last.retryAfter();
        yield new Refused(
            Problem.later(
                Code.UPSTREAM_UNAVAILABLE, message, wait == null ? Duration.ofSeconds(1) : wait));
      }
    };
  }

  /** An answer that should be JSON. */
  private record JsonAnswer(@Nullable Object value, @Nullable String fault) {

    static JsonAnswer of(String text, org.aionos.schemas.@Nullable ValueSchema check) {
      Object value;
      try {
        // A value of any kind is read as that of a field: our reader reads objects.
        value =
            Documents.json(("{\"answer\":" + text + "}").getBytes(StandardCharsets.UTF_8))
                .only("answer")
                .value("answer");
      } catch (InvalidDocument malformed) {
        return new JsonAnswer(null, "it is no JSON (" + malformed.fault() + ").");
      }
      var fault = check == null ? null : check.fault(value).orElse(null);
      return fault == null
          ? new JsonAnswer(value, null)
          : new JsonAnswer(null, "at '" + fault.pointer() + "': " + fault.message() + ".");
    }
  }
}
