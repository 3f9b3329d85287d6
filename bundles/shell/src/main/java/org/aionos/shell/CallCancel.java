package org.aionos.shell;

import org.aionos.kernel.SyscallRouter;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** End a call in flight; its caller is told who did. */
@Service
@Command(
    scope = "aion",
    name = "call-cancel",
    description = "End a call in flight; its caller is told who did")
public final class CallCancel implements Action {

  @Reference(optional = true)
  @Nullable SyscallRouter router;

  @Reference Session session;

  @Argument(name = "audit-id", description = "As aion:calls shows it", required = true)
  @Completion(CallIds.class)
  String auditId = "";

  @Override
  public @Nullable Object execute() {
    boolean told = Present.router(router).cancel(auditId, Operator.name(session));
    System.out.println(auditId + (told ? " is being cancelled" : " is not running"));
    return null;
  }
}
