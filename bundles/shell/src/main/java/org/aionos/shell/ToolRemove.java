package org.aionos.shell;

import org.aionos.kernel.ToolInstaller;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Remove a tool after its calls in flight have ended. */
@Service
@Command(
    scope = "aion",
    name = "tool-remove",
    description = "Remove a tool after its calls in flight have ended")
public final class ToolRemove implements Action {

  @Reference ToolInstaller installer;

  @Reference Session session;

  @Argument(name = "tool", description = "web_search, or web_search@1.2.0", required = true)
  @Completion(ToolNames.class)
  String tool = "";

  @Override
  public @Nullable Object execute() {
    int at = tool.indexOf('@');
    installer.remove(
        at < 0 ? tool : tool.substring(0, at),
        at < 0 ? null : tool.substring(at + 1),
        Operator.name(session));
    System.out.println("removed " + tool);
    return null;
  }
}
