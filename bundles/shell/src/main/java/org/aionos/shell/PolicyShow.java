package org.aionos.shell;

import java.util.TreeMap;
import java.util.TreeSet;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Show the policy in force, and what it grants an agent. */
@Service
@Command(
    scope = "aion",
    name = "policy",
    description = "Show the policy in force, and what it grants an agent")
public final class PolicyShow implements Action {

  @Reference Policy policy;

  @Reference PolicyVersions versions;

  @Reference ProcessTable processes;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>")
  @Completion(AgentNames.class)
  @Nullable String agent;

  @Override
  public @Nullable Object execute() {
    Policy.Version version = policy.version();
    System.out.println("version  " + version.id());
    System.out.println("source   " + version.source());
    if (!policy.behind().isEmpty()) {
      System.out.println("NOT as the other nodes: " + policy.behind());
    }
    if (!version.rejected().isEmpty()) {
      System.out.println("NOT in force is the file that is there now: " + version.rejected());
    }
    versions.canary().ifPresent(PolicyShow::show);
    if (!versions.operatorCalled().isEmpty()) {
      System.out.println("AN OPERATOR IS CALLED: " + Words.line(versions.operatorCalled()));
    }
    if (agent != null) {
      show(AgentId.parse(agent));
    }
    return null;
  }

  private static void show(PolicyVersions.Trial trial) {
    System.out.println(
        (trial.watched() ? "watched  " : "canary   ")
            + trial.version()
            + (trial.percent() == null ? "" : " for " + trial.percent() + " % of tenants")
            + (trial.tenants().isEmpty() ? "" : " for " + String.join(", ", trial.tenants()))
            + " beside "
            + trial.stable()
            + ": "
            + trial.failures()
            + " failures in a row, "
            + trial.inconclusive()
            + " intervals without a conclusion"
            + (trial.paused() ? ", PAUSED" : "")
            + (trial.says().isEmpty() ? "" : "; " + Words.line(trial.says())));
  }

  private void show(AgentId id) {
    AgentProcess row =
        processes
            .find(id)
            .orElseThrow(() -> new IllegalArgumentException(id + " is not registered"));
    Policy.Grants grants = policy.grants(id, row.declared());
    System.out.println("agent    " + id);
    System.out.println("grants   " + String.join(", ", new TreeSet<>(grants.capabilities())));
    new TreeMap<>(grants.withheld())
        .forEach(
            (capability, rule) -> System.out.println("withheld " + capability + " by " + rule));
    System.out.println("syscalls " + String.join(", ", new TreeSet<>(grants.syscalls())));
  }
}
