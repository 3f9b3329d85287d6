package org.aionos.shell;

import java.io.IOException;
import org.aionos.kernel.KernelBundles;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.apache.karaf.shell.support.completers.FileCompleter;
import org.jspecify.annotations.Nullable;

/** Take the allowance of a bundle back. */
@Service
@Command(
    scope = "aion",
    name = "bundle-disallow",
    description = "Take the allowance of a bundle back")
public final class BundleDisallow implements Action {

  @Reference KernelBundles bundles;

  @Reference Session session;

  @Argument(name = "jar", description = "A jar file, or its SHA-256", required = true)
  @Completion(FileCompleter.class)
  String jar = "";

  @Override
  public @Nullable Object execute() throws IOException {
    String digest = ToolJarFile.digestOrDigestOf(jar);
    bundles.disallow(digest, Operator.name(session));
    System.out.println("no longer allowed: " + digest);
    return null;
  }
}
