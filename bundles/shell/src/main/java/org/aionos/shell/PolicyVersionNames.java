package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.policy.PolicyVersions;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.CommandLine;
import org.apache.karaf.shell.api.console.Completer;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.StringsCompleter;

/** Completes the names of versions of the policy. */
@Service
public final class PolicyVersionNames implements Completer {

  private static final int SHOWN_MAX = 200;

  @Reference PolicyVersions versions;

  @Override
  public int complete(Session session, CommandLine line, List<String> candidates) {
    StringsCompleter names = new StringsCompleter();
    versions.list(null, SHOWN_MAX).forEach(version -> names.getStrings().add(version.name()));
    return names.complete(session, line, candidates);
  }
}
