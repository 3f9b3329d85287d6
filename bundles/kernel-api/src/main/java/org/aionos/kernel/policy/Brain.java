package org.aionos.kernel.policy;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Proposes other versions of the policy from what the kernel has measured. It may order and
 * tighten; whatever would give anybody more is refused by code, whoever thought of it. Nothing that
 * it proposes is in force by that. Safe for use by many threads; takes seconds.
 */
@ProviderType
public interface Brain {

  /**
   * Looks for a better version than the one in force, and keeps what it found as a version that is
   * not active.
   *
   * @param snapshot figures to go by, as {@code POST /v1/brain/propose-policy} takes them; null:
   *     what this kernel has measured. Figures that were brought never count as evidence against a
   *     tenant: what rests on them needs an operator
   * @param by who asks, for the record
   * @return without changes if nothing better was found
   * @throws Refused {@code INVALID_FIELD} or {@code MISSING_FIELD} with the pointer within the
   *     snapshot; {@code IN_PROGRESS} while it is thinking already
   */
  Proposal propose(@Nullable Map<String, @Nullable Object> snapshot, String by)
      throws InterruptedException;

  /**
   * Plays the load that was recorded once under the policy in force and once under another version.
   *
   * @throws Refused {@code NOT_FOUND} if there is no such version
   */
  Simulation simulate(String version) throws InterruptedException;

  /**
   * @param version the name it is kept under; null if nothing is proposed
   * @param evidence the figures it rests on, as JSON values by name
   * @param widening what it would give somebody, which is nothing: always empty
   * @param needsOperator why a person has to activate it; empty if it may be tried as a canary
   * @param source {@code optimiser}, or {@code model:} and the model that answered
   */
  record Proposal(
      @Nullable String version,
      List<Change> changes,
      String rationale,
      Map<String, @Nullable Object> evidence,
      List<String> widening,
      List<String> needsOperator,
      String source) {

    public Proposal {
      changes = List.copyOf(changes);
      evidence = Collections.unmodifiableMap(new LinkedHashMap<>(evidence));
      widening = List.copyOf(widening);
      needsOperator = List.copyOf(needsOperator);
      requireNonNull(rationale, "rationale");
      requireNonNull(source, "source");
    }
  }

  /**
   * One value of one file.
   *
   * @param pointer JSON pointer within the file
   * @param before null where the file says nothing
   */
  record Change(
      String file, String pointer, @Nullable Object before, Object after, String reason) {}

  /**
   * @param tasks of the load that was played
   * @param before JSON values by name: per queue the tasks and how long they waited, the tenant
   *     that was slowed down most, preemptions
   * @param after the same, under the other version
   * @param cost of the other version by the optimiser's measure; that of the version in force is 1
   */
  record Simulation(
      String version,
      int tasks,
      Map<String, @Nullable Object> before,
      Map<String, @Nullable Object> after,
      double cost) {

    public Simulation {
      before = Collections.unmodifiableMap(new LinkedHashMap<>(before));
      after = Collections.unmodifiableMap(new LinkedHashMap<>(after));
    }
  }
}
