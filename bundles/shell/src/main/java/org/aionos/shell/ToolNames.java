package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.ToolCatalog;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;

/** Completes the names of installed tools. */
@Service
public final class ToolNames implements Completer {

  @Reference ToolCatalog catalog;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    catalog.tools().forEach(tool -> names.getStrings().add(tool.manifest().name()));
    return names.complete(session, line, candidates);
  }
}
