package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Show in what a version differs from another, and what it grants more. */
@Service
@Command(
    scope = "aion",
    name = "policy-diff",
    description = "Show in what a version differs from another, and what it grants more")
public final class PolicyDiff implements Action {

  @Reference PolicyVersions versions;

  @Argument(name = "from", description = "A version", required = true)
  @Completion(PolicyVersionNames.class)
  String from = "";

  @Argument(index = 1, name = "to", description = "The other; the one in force if absent")
  @Completion(PolicyVersionNames.class)
  @Nullable String to;

  @Override
  public @Nullable Object execute() {
    String other =
        to != null
            ? to
            : versions
                .current()
                .orElseThrow(() -> new IllegalArgumentException("there is no version in force"))
                .name();
    for (PolicyVersions.Change change : versions.diff(from, other)) {
      System.out.println(
          change.file()
              + "#"
              + Words.line(change.pointer())
              + " ("
              + change.matter()
              + "): "
              + Words.line(change.before(), 200)
              + " -> "
              + Words.line(change.after(), 200));
    }
    List<PolicyVersions.Wider> wider = versions.widening(from, other);
    System.out.println(wider.isEmpty() ? "grants nobody more" : "GRANTS MORE than " + from + ":");
    wider.forEach(
        each ->
            System.out.println(
                "  "
                    + each.file()
                    + "#"
                    + Words.line(each.pointer())
                    + ": "
                    + Words.line(each.says())));
    return null;
  }
}
