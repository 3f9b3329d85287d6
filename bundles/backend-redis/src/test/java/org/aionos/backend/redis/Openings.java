package org.aionos.backend.redis;

import java.nio.file.Path;
import java.time.Duration;
import org.aionos.kernel.memory.StoreDriver;
import org.jspecify.annotations.Nullable;

/** What an operator could say, for tests. */
final class Openings {

  static final Duration TIMEOUT = Duration.ofMillis(500);

  private Openings() {}

  static StoreDriver.Opening of(String url) {
    return of(url, null, null, null, TIMEOUT);
  }

  static StoreDriver.Opening of(
      String url,
      @Nullable String user,
      @Nullable String secret,
      @Nullable Path caFile,
      Duration timeoutMax) {
    return new StoreDriver.Opening(
        "short", url, "", user, secret, caFile, timeoutMax, Path.of("unused"));
  }
}
