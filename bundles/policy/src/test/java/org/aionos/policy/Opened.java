package org.aionos.policy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.function.LongSupplier;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Journal;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Role;
import org.aionos.kernel.ToolCatalog;
import org.jspecify.annotations.Nullable;

/** Opens policies for tests: with a clock of their own, and neighbours that are away. */
final class Opened {

  static final Caller OPERATOR = Caller.person("ann", Role.OPERATOR, null);

  /** Nobody is there. */
  static class Away implements Neighbours {
    @Override
    public @Nullable JournalReader journal() {
      return null;
    }

    @Override
    public @Nullable ProcessTable processes() {
      return null;
    }

    @Override
    public @Nullable ToolCatalog tools() {
      return null;
    }
  }

  private Opened() {}

  static VersionedPolicy policy(
      Path policies, Path state, Duration reload, Journal journal, LongSupplier nanos) {
    return policy(
        policies,
        state,
        reload,
        new Disk(step -> {}),
        journal,
        new CountedMeters(),
        new Away(),
        nanos);
  }

  static VersionedPolicy policy(
      Path policies,
      Path state,
      Duration reload,
      Disk disk,
      Journal journal,
      CountedMeters meters,
      Neighbours neighbours,
      LongSupplier nanos) {
    try {
      return new VersionedPolicy(
          policies,
          state,
          reload,
          disk,
          journal,
          meters,
          neighbours,
          () -> Instant.EPOCH.plusNanos(nanos.getAsLong()),
          nanos,
          new Random(state.hashCode()));
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
