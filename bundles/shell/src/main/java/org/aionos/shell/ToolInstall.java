package org.aionos.shell;

import java.io.IOException;
import org.aionos.kernel.ToolCanaries;
import org.aionos.kernel.ToolInstaller;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.jspecify.annotations.Nullable;

/** Install a tool jar, or replace the version that runs. */
@Service
@Command(
    scope = "aion",
    name = "tool-install",
    description = "Install a tool jar, or replace the version that runs")
public final class ToolInstall implements Action {

  @Reference ToolInstaller installer;

  @Reference ToolCanaries canaries;

  @Reference Session session;

  @Argument(name = "jar", description = "A jar file", required = true)
  @Completion(FileCompleter.class)
  String jar = "";

  @Option(name = "--plan", description = "Only show what would change")
  boolean planOnly;

  @Option(
      name = "--signature",
      description = "Its signature; without, the file beside the jar is taken if there is one")
  @Completion(FileCompleter.class)
  String signature = "";

  @Option(
      name = "--force",
      description = "Also a signed jar that is older than, or differs from, what is installed")
  boolean force;

  @Option(
      name = "--canary",
      description = "Run it beside the installed version, for so many percent of its calls")
  int canaryPercent;

  @Override
  public @Nullable Object execute() throws IOException {
    byte[] bytes = ToolJarFile.read(jar);
    byte[] signed = ToolJarFile.signature(jar, signature);
    ToolJarFile.show(installer.verdict(bytes, signed));
    if (planOnly) {
      return null;
    }
    if (canaryPercent == 0) {
      installer.install(bytes, signed, force, Operator.name(session));
      System.out.println("installed");
    } else {
      canaries.begin(bytes, signed, force, canaryPercent, Operator.name(session));
      System.out.println("installed beside it, for " + canaryPercent + " % of the calls");
    }
    return null;
  }
}
