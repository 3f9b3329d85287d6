package org.aionos.shell;

import java.util.Locale;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Decide the latest calls again by a version of the policy. */
@Service
@Command(
    scope = "aion",
    name = "policy-dry-run",
    description = "Decide the latest calls again by a version of the policy")
public final class PolicyDryRun implements Action {

  @Reference PolicyVersions versions;

  @Reference(optional = true)
  @Nullable Brain brain;

  @Argument(name = "version", description = "Its name", required = true)
  @Completion(PolicyVersionNames.class)
  String version = "";

  @Override
  public @Nullable Object execute() throws InterruptedException {
    PolicyVersions.DryRun run = versions.dryRun(version);
    System.out.println(
        run.decided()
            + " calls decided by "
            + run.version()
            + " and by "
            + run.against()
            + ": "
            + run.refused()
            + " would be refused, "
            + run.allowed()
            + " allowed, "
            + run.approvals()
            + " after an approval; "
            + run.skipped()
            + " are of agents that are gone");
    for (PolicyVersions.Example each : run.examples()) {
      System.out.println(
          each.auditId()
              + " "
              + each.agent()
              + " "
              + Words.line(each.syscall())
              + " "
              + Words.line(each.tool())
              + ": "
              + each.now()
              + " -> "
              + each.then()
              + " by "
              + Words.line(each.rule()));
    }
    Brain playing = brain;
    if (playing != null) {
      Brain.Simulation played = playing.simulate(version);
      System.out.println(
          played.tasks()
              + " tasks of the last hour, played: cost "
              + String.format(Locale.ROOT, "%.3f", played.cost())
              + " of what it is now (less is better)");
      System.out.println("now   " + Words.line(String.valueOf(played.before())));
      System.out.println("then  " + Words.line(String.valueOf(played.after())));
    }
    return null;
  }
}
