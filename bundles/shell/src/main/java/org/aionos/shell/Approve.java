package org.aionos.shell;

import java.util.Locale;
import org.aionos.kernel.policy.Approvals;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Let a call run that waits for a person, once; or refuse it. */
@Service
@Command(
    scope = "aion",
    name = "approve",
    description = "Let a call run that waits for a person, once; or refuse it")
public final class Approve implements Action {

  @Reference Approvals approvals;

  @Reference Session session;

  @Argument(name = "approval", description = "Its id", required = true)
  String id = "";

  @Option(name = "--refuse", description = "Do not let it run")
  boolean refuse;

  @Override
  public @Nullable Object execute() {
    Approvals.Approval decided = approvals.decide(id, !refuse, Operator.of(session));
    System.out.println(
        decided.id()
            + ": "
            + decided.state().name().toLowerCase(Locale.ROOT)
            + " until "
            + decided.expires());
    return null;
  }
}
