package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.ProcessTable;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;

/** Completes the ids of registered agents. */
@Service
public final class AgentNames implements Completer {

  @Reference ProcessTable processes;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    processes.list(null).forEach(agent -> names.getStrings().add(agent.id().toString()));
    return names.complete(session, line, candidates);
  }
}
