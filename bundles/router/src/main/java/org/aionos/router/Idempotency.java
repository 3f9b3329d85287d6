package org.aionos.router;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.jspecify.annotations.Nullable;

/**
 * Two calls of one agent with one idempotency key are one call: the second gets the outcome of the
 * first. The key is on disk before the call runs, so a crash in the middle leaves it behind with no
 * outcome; what then happened is unknown, and a blind retry is refused.
 */
final class Idempotency {

  /** How often expired keys are looked for, at most. */
  private static final long SWEEP_MILLIS = 60_000;

  private static final int RETENTION_MILLIS = 2_000;

  private final MVStore store;
  private final MVMap<String, byte[]> calls;
  private final Duration window;
  private final int keysMax;
  private final InstantSource clock;
  private final String life;
  private long sweptAtMillis;

  private Idempotency(MVStore store, Duration window, int keysMax, InstantSource clock) {
    this.store = store;
    this.calls = store.openMap("calls");
    this.window = window;
    this.keysMax = keysMax;
    this.clock = clock;
    // Tells a call that runs now from one that a former life of this kernel left behind.
    this.life = Long.toString(clock.millis(), 36) + "-" + store.getCurrentVersion();
  }

  static Idempotency open(Path folder, Duration window, int keysMax, InstantSource clock) {
    try {
      Files.createDirectories(folder);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    MVStore store =
        new MVStore.Builder()
            .fileName(folder.resolve("idempotency.mv").toString())
            .autoCommitDisabled()
            .open();
    // The file is written anew as it fills; without this it would keep 45 s of old versions.
    store.setRetentionTime(RETENTION_MILLIS);
    return new Idempotency(store, window, keysMax, clock);
  }

  void close() {
    store.close();
  }

  /**
   * Runs a call, unless it has run before.
   *
   * @param call throws {@link Refused} if it was not begun: then the key is free again
   */
  Outcome once(Asked asked, Supplier<Outcome> call) {
    String chosen = asked.syscall().context().idempotencyKey();
    if (chosen == null) {
      return call.get();
    }
    String key = asked.syscall().agent() + "#" + chosen;
    String request = digest(asked.syscall());
    Outcome before = begin(key, request, asked.auditId());
    if (before != null) {
      return before;
    }
    Outcome outcome = Outcome.failed(Problem.of(Code.KERNEL_FAULT, "a fault of the kernel"));
    try {
      outcome = call.get();
    } catch (Refused refused) {
      forget(key);
      throw refused;
    } finally {
      endIfBegun(key, request, asked.auditId(), outcome);
    }
    return outcome;
  }

  /** Notes that a call runs; returns its outcome if it has run before. */
  private synchronized @Nullable Outcome begin(String key, String request, String auditId) {
    sweep();
    byte[] known = calls.get(key);
    if (known != null) {
      return before(Recorded.read(known), request);
    }
    if (calls.size() >= keysMax) {
      throw new Refused(
          Problem.later(
              Code.KERNEL_BUSY,
              "too many idempotency keys are remembered; call without one, or later",
              Duration.ofSeconds(60)));
    }
    calls.put(key, new Recorded(request, auditId, life, clock.millis(), null).bytes());
    store.commit();
    return null;
  }

  private Outcome before(Recorded recorded, String request) {
    if (!recorded.request.equals(request)) {
      throw new Refused(
          Code.IDEMPOTENCY_KEY_REUSED,
          "this idempotency key stands for another call, " + recorded.auditId);
    }
    if (recorded.outcome != null) {
      return recorded.outcome;
    }
    if (recorded.life.equals(life)) {
      throw new Refused(Code.IN_PROGRESS, "the call with this key still runs: " + recorded.auditId);
    }
    throw new Refused(
        Problem.of(
                Code.OUTCOME_UNKNOWN,
                "the kernel stopped while the call with this key ran ("
                    + recorded.auditId
                    + "); whether it had an effect is not known")
            .admittedBy("check the effect, then call again with a new key"));
  }

  /** Nothing was done, so the key stands for nothing. */
  private synchronized void forget(String key) {
    calls.remove(key);
    store.commit();
  }

  private synchronized void endIfBegun(
      String key, String request, String auditId, Outcome outcome) {
    if (!calls.containsKey(key)) {
      return;
    }
    calls.put(key, new Recorded(request, auditId, life, clock.millis(), outcome).bytes());
    store.commit();
  }

  private void sweep() {
    long now = clock.millis();
    if (now - sweptAtMillis < SWEEP_MILLIS) {
      return;
    }
    sweptAtMillis = now;
    long oldest = now - window.toMillis();
    calls.entrySet().stream()
        .filter(entry -> Recorded.read(entry.getValue()).atMillis < oldest)
        .map(Map.Entry::getKey)
        .toList()
        .forEach(calls::remove);
    store.commit();
  }

  private static String digest(Syscall syscall) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(syscall.name().getBytes(UTF_8));
      return HexFormat.of().formatHex(sha256.digest(Documents.write(syscall.params())));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  /** A key's row. */
  private record Recorded(
      String request, String auditId, String life, long atMillis, @Nullable Outcome outcome) {

    byte[] bytes() {
      Map<String, @Nullable Object> row = new LinkedHashMap<>();
      row.put("request", request);
      row.put("audit_id", auditId);
      row.put("life", life);
      row.put("at", atMillis);
      if (outcome instanceof Outcome.Ok ok) {
        row.put("result", ok.result());
        row.put("engine_kind", ok.engine().kind());
        row.put("engine_name", ok.engine().name());
      } else if (outcome instanceof Outcome.Failed failed) {
        row.put("code", failed.code().name());
        row.put("message", failed.problem().message());
      }
      if (outcome != null) {
        row.put("cost_usd", outcome.spent().costUsd().toPlainString());
        row.put("tokens_in", outcome.spent().tokensIn());
        row.put("tokens_out", outcome.spent().tokensOut());
      }
      return Documents.write(row);
    }

    static Recorded read(byte[] bytes) {
      try {
        Fields row = Documents.json(bytes);
        return new Recorded(
            row.text("request"),
            row.text("audit_id"),
            row.text("life"),
            row.wholeNumber("at", 0, 0, Long.MAX_VALUE),
            outcome(row));
      } catch (InvalidDocument damaged) {
        throw new IllegalStateException("the idempotency store is damaged", damaged);
      }
    }

    private static @Nullable Outcome outcome(Fields row) throws InvalidDocument {
      if (row.has("code")) {
        return new Outcome.Failed(
            Problem.of(Code.valueOf(row.text("code")), row.text("message")), null, spent(row));
      }
      if (!row.has("result")) {
        return null;
      }
      return new Outcome.Ok(
          row.object("result").values(),
          spent(row),
          new Outcome.Engine(row.text("engine_kind"), row.text("engine_name")));
    }

    private static Outcome.Spent spent(Fields row) throws InvalidDocument {
      return new Outcome.Spent(
          new BigDecimal(row.text("cost_usd", "0")),
          row.wholeNumber("tokens_in", 0, 0, Long.MAX_VALUE),
          row.wholeNumber("tokens_out", 0, 0, Long.MAX_VALUE));
    }
  }
}
