package org.aionos.scheduler;

import java.util.Map;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/**
 * What a task does between two of its starts and ends. It says how it ended once, on whatever
 * thread. Every method may be called at any time, also when it has ended.
 */
interface Run {

  /** Begins. May take as long as the run does. */
  void begin();

  /** Whether it can be frozen at all. */
  boolean isPreemptible();

  /**
   * Stops it where it is, or where it next can. Returns once it stands still, or has ended.
   *
   * @throws Refused if it cannot be; it goes on
   */
  void freeze();

  void thaw();

  /** Ends it, frozen or not: it will say that it failed with this. */
  void fail(org.aionos.kernel.Problem why);

  /** Takes it away, frozen or not, to be begun anew later: it will say that it is gone. */
  void evict(String why);

  /** How a run ended. */
  sealed interface End {

    /**
     * @param more what is shown besides: of an agent its exit and output
     */
    record Ended(Outcome outcome, Map<String, @Nullable Object> more, long cpuMillis)
        implements End {}

    /** It has not ended, but it is not there any more. */
    record Gone(String why) implements End {}
  }
}
