package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.Identity;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;

/** Completes the names of tenants. */
@Service
public final class TenantNames implements Completer {

  @Reference Identity identity;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    identity.tenants().forEach(tenant -> names.getStrings().add(tenant.name()));
    return names.complete(session, line, candidates);
  }
}
