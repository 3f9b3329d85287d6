package org.aionos.shell;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.aionos.kernel.memory.MemoryControl;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;

/** Write a tenant's memory of one type to a file, an item a line. */
@Service
@Command(
    scope = "aion",
    name = "memory-export",
    description = "Write a tenant's memory of one type to a file, an item a line")
public final class MemoryExport implements Action {

  @Reference MemoryControl memory;

  @Reference BundleContext context;

  @Argument(name = "type", description = "short, long or episodic", required = true)
  String type = "";

  @Argument(index = 1, name = "tenant", description = "Whose", required = true)
  @Completion(TenantNames.class)
  String tenant = "";

  @Argument(index = 2, name = "file", description = "A name in state/exports", required = true)
  String file = "";

  @Override
  public @Nullable Object execute() throws IOException {
    Path path = MemoryFile.named(file, context);
    Files.deleteIfExists(path);
    Files.createFile(
        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(path))) {
      System.out.println(memory.export(type, tenant, out) + " items: " + path);
    }
    return null;
  }
}
