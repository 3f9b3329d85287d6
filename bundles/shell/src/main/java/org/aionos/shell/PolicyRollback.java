package org.aionos.shell;

import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Put a version of the policy in force again that was. */
@Service
@Command(
    scope = "aion",
    name = "policy-rollback",
    description = "Put a version of the policy in force again that was")
public final class PolicyRollback implements Action {

  @Reference PolicyVersions versions;

  @Reference Session session;

  @Argument(name = "version", description = "Its name", required = true)
  @Completion(PolicyVersionNames.class)
  String version = "";

  @Option(name = "--reason", description = "For the record", valueToShowInHelp = "none")
  String reason = "";

  @Override
  public @Nullable Object execute() {
    System.out.println(
        "rolled back to " + versions.rollback(version, reason, Operator.of(session)).name());
    return null;
  }
}
