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

/** Give a canary all calls of its tool; the old version goes. */
@Service
@Command(
    scope = "aion",
    name = "canary-promote",
    description = "Give a canary all calls of its tool; the old version goes")
public final class CanaryPromote implements Action {

  @Reference ToolCanaries canaries;

  @Reference Session session;

  @Argument(name = "tool", description = "Name of the tool", required = true)
  @Completion(CanaryNames.class)
  String tool = "";

  @Override
  public @Nullable Object execute() {
    canaries.promote(tool, Operator.name(session));
    System.out.println(tool + ": the canary is promoted");
    return null;
  }
}
