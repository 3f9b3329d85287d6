package org.aionos.kernel;

import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The append-only, hash-chained record of all that was asked and all that happened. Audit and
 * events are two readers of it. A method that returned has written: what it wrote survives {@code
 * kill -9}, and with {@code sync=always} a power loss.
 *
 * @see JournalReader
 */
@ProviderType
public interface Journal {

  /**
   * Records that a syscall is about to be handled.
   *
   * @throws Refused {@code JOURNAL_UNAVAILABLE} if it could not be written: then nothing may be
   *     done
   */
  Asked asked(Syscall syscall);

  /**
   * Records how a syscall ended. Called exactly once for each {@link #asked}.
   *
   * @param by the decision that was taken; null if it did not come to one
   * @throws Refused {@code JOURNAL_UNAVAILABLE} if it could not be written: the outcome is then
   *     unknown
   */
  void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took);

  /**
   * Records any other fact: an agent registered, a tool installed, a policy activated, strangers
   * refused.
   *
   * @return the audit id of the record
   * @throws Refused {@code JOURNAL_UNAVAILABLE} if it could not be written
   */
  String record(Event event);

  /**
   * A fact of the kernel's life.
   *
   * @param topic for example {@code kernel.agents}
   * @param kind for example {@code agent.registered}
   * @param tenant whose it is; null for the kernel's own
   * @param facts JSON values by name; never a secret
   */
  record Event(
      String topic, String kind, @Nullable String tenant, Map<String, @Nullable Object> facts) {}
}
