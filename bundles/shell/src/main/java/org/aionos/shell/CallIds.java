package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.SyscallRouter;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;
import org.jspecify.annotations.Nullable;

/** Completes the ids of calls in flight. */
@Service
public final class CallIds implements Completer {

  @Reference(optional = true)
  @Nullable SyscallRouter router;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    Present.router(router).running().forEach(call -> names.getStrings().add(call.auditId()));
    return names.complete(session, line, candidates);
  }
}
