package org.aionos.shell;

import java.util.HashSet;
import java.util.List;
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

/** Put a version of the policy in force, for all or as a canary for some. */
@Service
@Command(
    scope = "aion",
    name = "policy-activate",
    description = "Put a version of the policy in force, for all or as a canary for some")
public final class PolicyActivate implements Action {

  @Reference PolicyVersions versions;

  @Reference Session session;

  @Argument(name = "version", description = "Its name", required = true)
  @Completion(PolicyVersionNames.class)
  String version = "";

  @Option(
      name = "--sha256",
      description = "Of the version that was looked at; needed where it grants more",
      valueToShowInHelp = "none")
  @Nullable String sha256;

  @Option(name = "--canary", description = "Percent of tenants that have it first, 1 to 99")
  int percent;

  @Option(
      name = "--tenant",
      description = "A tenant that has it first; may be repeated",
      multiValued = true,
      valueToShowInHelp = "none")
  List<String> tenants = List.of();

  @Override
  public @Nullable Object execute() {
    PolicyVersions.Version now =
        versions.activate(
            version,
            new PolicyVersions.Activation(
                sha256, percent == 0 ? null : Integer.valueOf(percent), new HashSet<>(tenants)),
            Operator.of(session));
    System.out.println(now.name() + ": " + now.state().written());
    return null;
  }
}
