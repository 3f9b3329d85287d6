package org.aionos.sandbox;

import java.nio.file.Path;
import java.util.List;

/**
 * A tool, unpacked and ready to be started.
 *
 * @param tool name and version, for the log
 * @param command what to run inside the cage
 * @param folder what the cage shows as {@code /tool}
 * @param filter file with the compiled seccomp filter
 * @param calls what that filter was compiled from
 */
record Program(
    String tool,
    List<String> command,
    Path folder,
    Path filter,
    SeccompProfile calls,
    Limits limits,
    Devices.Granted devices) {
  Program {
    command = List.copyOf(command);
  }
}
