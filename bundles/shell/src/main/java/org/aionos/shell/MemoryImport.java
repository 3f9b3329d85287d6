package org.aionos.shell;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import org.aionos.kernel.memory.MemoryControl;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;

/** Read items from a file that memory-export wrote; later versions that are there stay. */
@Service
@Command(
    scope = "aion",
    name = "memory-import",
    description = "Read items from a file that memory-export wrote; later versions stay")
public final class MemoryImport implements Action {

  @Reference MemoryControl memory;

  @Reference BundleContext context;

  @Argument(name = "type", description = "short, long or episodic", required = true)
  String type = "";

  @Argument(index = 1, name = "file", description = "A name in state/exports", required = true)
  String file = "";

  @Override
  public @Nullable Object execute() throws IOException {
    try (InputStream in = Files.newInputStream(MemoryFile.named(file, context))) {
      System.out.println(memory.read(type, in) + " items written");
    }
    return null;
  }
}
