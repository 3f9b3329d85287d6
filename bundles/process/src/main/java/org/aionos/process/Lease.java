package org.aionos.process;

import java.time.Duration;
import org.aionos.kernel.AgentProcess.State;

/** How long a sign of life lasts. Pure: the same age gives the same state. */
record Lease(Duration suspectAfter, Duration lostAfter) {

  Lease {
    if (suspectAfter.isNegative()
        || suspectAfter.isZero()
        || lostAfter.compareTo(suspectAfter) <= 0) {
      throw new IllegalArgumentException(
          "an agent must be suspect before it is lost: lostAfterHeartbeats must be more than"
              + " suspectAfterHeartbeats");
    }
  }

  static Lease of(ProcessConfig config) {
    Duration heartbeat = Duration.ofSeconds(config.heartbeatSeconds());
    return new Lease(
        heartbeat.multipliedBy(config.suspectAfterHeartbeats()),
        heartbeat.multipliedBy(config.lostAfterHeartbeats()));
  }

  /**
   * The state of an agent whose last sign of life is this old. Time alone never makes it better,
   * and touches neither an agent that has yet to come alive nor a stopped one.
   */
  State state(State recorded, long ageNanos) {
    return switch (recorded) {
      case REGISTERED, STOPPED, LOST -> recorded;
      case ALIVE, SUSPECT -> {
        if (ageNanos >= lostAfter.toNanos()) {
          yield State.LOST;
        }
        yield ageNanos >= suspectAfter.toNanos() ? State.SUSPECT : recorded;
      }
    };
  }

  /** Whether a sign of life this old no longer holds. */
  boolean lapsed(long ageNanos) {
    return ageNanos >= suspectAfter.toNanos();
  }
}
