package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.policy.Brain;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** Look for a better version of the policy in what this kernel has measured. */
@Service
@Command(
    scope = "aion",
    name = "brain-propose",
    description =
        "Look for a better version of the policy by what was measured; it is kept, not in force")
public final class BrainPropose implements Action {

  @Reference(optional = true)
  @Nullable Brain brain;

  @Reference Session session;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() throws InterruptedException {
    Brain present = brain;
    if (present == null) {
      throw new IllegalStateException(
          "the brain does not run: it, or what it needs, is being replaced; see the log");
    }
    Brain.Proposal proposal = present.propose(null, Operator.name(session));
    System.out.println("source    " + proposal.source());
    System.out.println("rationale " + proposal.rationale());
    if (proposal.version() == null) {
      System.out.println("Nothing is proposed.");
      return null;
    }
    System.out.println("version   " + proposal.version());
    proposal.needsOperator().forEach(why -> System.out.println("needs an operator: " + why));
    ShellTable table = new ShellTable();
    List.of("FILE", "FIELD", "BEFORE", "AFTER", "REASON").forEach(table::column);
    for (Brain.Change change : proposal.changes()) {
      table
          .addRow()
          .addContent(
              change.file(),
              change.pointer(),
              change.before() == null ? "" : change.before(),
              change.after(),
              change.reason());
    }
    table.print(System.out, !plain);
    return null;
  }
}
