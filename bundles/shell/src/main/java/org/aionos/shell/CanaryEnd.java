package org.aionos.shell;

import org.aionos.kernel.ToolCanaries;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** End a canary; the old version takes all calls. */
@Service
@Command(
    scope = "aion",
    name = "canary-end",
    description = "End a canary; the old version takes all calls")
public final class CanaryEnd implements Action {

  @Reference ToolCanaries canaries;

  @Reference Session session;

  @Argument(name = "tool", description = "Name of the tool", required = true)
  @Completion(CanaryNames.class)
  String tool = "";

  @Override
  public @Nullable Object execute() {
    canaries.end(tool, Operator.name(session));
    System.out.println(tool + ": the canary has ended");
    return null;
  }
}
