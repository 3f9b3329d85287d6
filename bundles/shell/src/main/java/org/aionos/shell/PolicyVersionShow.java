package org.aionos.shell;

import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Show a version of the policy and its files. */
@Service
@Command(
    scope = "aion",
    name = "policy-show",
    description = "Show a version of the policy and its files")
public final class PolicyVersionShow implements Action {

  @Reference PolicyVersions versions;

  @Argument(name = "version", description = "Its name", required = true)
  @Completion(PolicyVersionNames.class)
  String version = "";

  @Override
  public @Nullable Object execute() {
    PolicyVersions.Whole whole = versions.find(version);
    System.out.println("version   " + whole.version().name());
    System.out.println("state     " + whole.version().state().written());
    System.out.println("sha256    " + whole.version().sha256());
    System.out.println(
        "created   " + whole.version().created() + " by " + Words.line(whole.version().by()));
    System.out.println("origin    " + whole.version().origin().written());
    System.out.println("parent    " + Words.line(whole.version().parent()));
    System.out.println("rationale " + Words.line(whole.version().rationale()));
    System.out.println("evidence  " + Words.json(whole.version().evidence()));
    whole
        .files()
        .forEach(
            (name, text) -> {
              System.out.println("--- " + name);
              text.lines().forEach(line -> System.out.println(Words.line(line)));
            });
    return null;
  }
}
