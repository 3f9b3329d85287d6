package org.aionos.shell;

import java.io.IOException;
import org.aionos.kernel.ToolInstaller;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.jspecify.annotations.Nullable;

/** Allow a tool jar, by file or by SHA-256, to be installed. */
@Service
@Command(
    scope = "aion",
    name = "tool-allow",
    description = "Allow a tool jar, by file or by SHA-256, to be installed")
public final class ToolAllow implements Action {

  @Reference ToolInstaller installer;

  @Reference Session session;

  @Argument(name = "jar", description = "A jar file, or its SHA-256", required = true)
  @Completion(FileCompleter.class)
  String jar = "";

  @Override
  public @Nullable Object execute() throws IOException {
    String digest = ToolJarFile.digestOrDigestOf(jar);
    installer.allow(digest, Operator.name(session));
    System.out.println("allowed " + digest);
    return null;
  }
}
