package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * A call that takes long, as its handler sees it: one that is broken off is charged for what it has
 * used, and if its task makes it again it goes on where it was.
 */
@ProviderType
public interface Underway {

  /** A call of which nobody wants to know how far it is. */
  Underway UNKNOWN =
      new Underway() {
        @Override
        public @Nullable Map<String, @Nullable Object> before() {
          return null;
        }

        @Override
        public void report(Supplier<SoFar> soFar) {}
      };

  /** The state in which this very call was broken off before; null if it begins. */
  @Nullable Map<String, @Nullable Object> before();

  /**
   * Says who can tell how far the call is. Asked at most once, when the call is broken off or
   * fails, on any thread, while or after the handler's own thread is interrupted.
   */
  void report(Supplier<SoFar> soFar);

  /**
   * @param state JSON values from which the same call can go on; empty if it cannot
   * @param spent since {@link #before}
   */
  record SoFar(Map<String, @Nullable Object> state, Outcome.Spent spent) {

    public SoFar {
      state = Collections.unmodifiableMap(new LinkedHashMap<>(state));
      requireNonNull(spent, "spent");
    }
  }
}
