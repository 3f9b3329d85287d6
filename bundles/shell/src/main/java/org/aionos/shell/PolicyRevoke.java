package org.aionos.shell;

import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Take a capability, a tool or a syscall away at once, or give it back. */
@Service
@Command(
    scope = "aion",
    name = "policy-revoke",
    description = "Take a capability, a tool or a syscall away at once, or give it back")
public final class PolicyRevoke implements Action {

  @Reference PolicyVersions versions;

  @Reference Session session;

  @Argument(
      name = "reason",
      description = "Why; with --lift the id of the revocation",
      required = true)
  String reason = "";

  @Option(name = "--tenant", description = "Whose; all if absent", valueToShowInHelp = "all")
  @Nullable String tenant;

  @Option(name = "--agent", description = "Its name in the tenant", valueToShowInHelp = "all")
  @Nullable String agent;

  @Option(name = "--capability", description = "What is taken away", valueToShowInHelp = "none")
  @Nullable String capability;

  @Option(name = "--tool", description = "Or a tool, or a glob", valueToShowInHelp = "none")
  @Nullable String tool;

  @Option(name = "--syscall", description = "Or a syscall, or a glob", valueToShowInHelp = "none")
  @Nullable String syscall;

  @Option(name = "--lift", description = "Give back instead")
  boolean lift;

  @Override
  public @Nullable Object execute() {
    if (lift) {
      versions.lift(reason, Operator.of(session));
      System.out.println(reason + ": lifted");
    } else {
      PolicyVersions.Revocation made =
          versions.revoke(
              new PolicyVersions.Revoking(tenant, agent, capability, tool, syscall, reason),
              Operator.of(session));
      System.out.println(made.id() + ": holds");
    }
    return null;
  }
}
