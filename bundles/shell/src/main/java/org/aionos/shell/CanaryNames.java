package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.ToolCanaries;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;

/** Completes the names of tools that have a canary. */
@Service
public final class CanaryNames implements Completer {

  @Reference ToolCanaries canaries;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    canaries.canaries().forEach(canary -> names.getStrings().add(canary.tool()));
    return names.complete(session, line, candidates);
  }
}
