package org.aionos.model;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.jspecify.annotations.Nullable;

/**
 * Answers to the very same question, of the same tenant. What was not used for longest goes first.
 * Safe for use by many threads.
 */
final class AnswerCache {

  /** What an entry takes besides its bytes. */
  private static final int ENTRY_BYTES = 256;

  private final InstantSource clock;

  // Guarded by this.
  private final LinkedHashMap<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  AnswerCache(InstantSource clock) {
    this.clock = clock;
  }

  /**
   * @param result as the caller was given it
   * @param route that gave it
   */
  record Kept(Map<String, @Nullable Object> result, String route) {}

  private record Entry(Kept kept, Instant until, long bytes) {}

  /** Names a question. Two tenants never have one in common. */
  static String key(
      String tenant, String model, List<ModelSettings.Route> routes, Generation asked) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put("tenant", tenant);
    all.put("model", model);
    all.put("routes", routes.stream().map(ModelSettings.Route::name).toList());
    all.put("tokens_max", asked.tokensMax());
    all.put("asked", asked.asked());
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Documents.write(all)));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  synchronized @Nullable Kept find(String key) {
    Entry entry = entries.get(key);
    if (entry == null) {
      return null;
    }
    if (!entry.until().isAfter(clock.instant())) {
      entries.remove(key);
      bytes -= entry.bytes();
      return null;
    }
    return entry.kept();
  }

  synchronized void keep(String key, Kept kept, long bytesMax, Duration time) {
    long size =
        ENTRY_BYTES
            + new String(Documents.write(kept.result()), StandardCharsets.UTF_8).length() * 2L;
    if (size > bytesMax) {
      return;
    }
    Entry before = entries.put(key, new Entry(kept, clock.instant().plus(time), size));
    bytes += size - (before == null ? 0 : before.bytes());
    Iterator<Entry> oldest = entries.values().iterator();
    while (bytes > bytesMax && oldest.hasNext()) {
      bytes -= oldest.next().bytes();
      oldest.remove();
    }
  }

  synchronized long bytes() {
    return bytes;
  }
}
