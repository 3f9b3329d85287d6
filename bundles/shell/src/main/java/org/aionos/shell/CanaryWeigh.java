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

/** Change the share of calls that a canary takes. */
@Service
@Command(
    scope = "aion",
    name = "canary-weigh",
    description = "Change the share of calls that a canary takes")
public final class CanaryWeigh implements Action {

  @Reference ToolCanaries canaries;

  @Reference Session session;

  @Argument(name = "tool", description = "Name of the tool", required = true)
  @Completion(CanaryNames.class)
  String tool = "";

  @Argument(
      index = 1,
      name = "percent",
      description = "Of the calls that name no version, 1 to 99",
      required = true)
  int percent;

  @Override
  public @Nullable Object execute() {
    canaries.weigh(tool, percent, Operator.name(session));
    System.out.println(tool + ": the canary takes " + percent + " % of the calls");
    return null;
  }
}
