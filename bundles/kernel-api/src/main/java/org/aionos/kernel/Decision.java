package org.aionos.kernel;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import java.util.Set;

/**
 * The policy's answer. It names the rule that spoke and the version that holds it, so that the
 * journal can quote both.
 */
public sealed interface Decision {

  String rule();

  String policyVersion();

  /**
   * The call may run, using these grants and no others. Made by the policy bundle alone.
   *
   * @param grants capabilities in force for this call
   * @param withheld each capability that this agent does not hold, and the rule that withholds it
   */
  record Allow(String rule, String policyVersion, Set<String> grants, Map<String, String> withheld)
      implements Decision {

    public Allow {
      requireNonNull(rule, "rule");
      requireNonNull(policyVersion, "policyVersion");
      grants = Set.copyOf(grants);
      withheld = Map.copyOf(withheld);
    }
  }

  /** The call may not run. */
  record Deny(Problem problem) implements Decision {

    public Deny {
      requireNonNull(problem.rule(), "rule");
      requireNonNull(problem.policyVersion(), "policyVersion");
    }

    @Override
    public String rule() {
      return requireNonNull(problem.rule());
    }

    @Override
    public String policyVersion() {
      return requireNonNull(problem.policyVersion());
    }
  }

  /**
   * The call may run once a person has said so, of this very call. {@link
   * org.aionos.kernel.policy.Approvals} knows whether one has.
   *
   * @param allow what holds then
   * @param rule the one that wants it
   */
  record AfterApproval(Allow allow, String rule) implements Decision {

    public AfterApproval {
      requireNonNull(allow, "allow");
      requireNonNull(rule, "rule");
    }

    @Override
    public String policyVersion() {
      return allow.policyVersion();
    }
  }
}
