package org.aionos.shell;

import org.aionos.kernel.memory.MemoryControl;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Copy all memory of a type to another driver's store and hold it until the file says so. */
@Service
@Command(
    scope = "aion",
    name = "memory-migrate",
    description =
        "Copy a type of memory to another driver's store; ./aion memory migrate does all of it")
public final class MemoryMigrate implements Action {

  @Reference MemoryControl memory;

  @Argument(name = "type", description = "short, long or episodic", required = true)
  String type = "";

  @Argument(
      index = 1,
      name = "driver",
      description = "embedded, redis, qdrant or minio",
      required = true)
  String driver = "";

  @Override
  public @Nullable Object execute() {
    MemoryControl.Migrated migrated = memory.migrate(type, driver, System.out::println);
    System.out.println(
        "the same in both: "
            + migrated.items()
            + " items, of which "
            + migrated.copied()
            + " were copied. Callers wait: set backends."
            + type
            + ".driver to "
            + driver
            + " in config/memory.yaml within a minute");
    return null;
  }
}
