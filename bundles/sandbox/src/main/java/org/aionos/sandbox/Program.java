package org.aionos.sandbox;

import java.nio.file.Path;
import java.util.List;

/**
 * A tool or an agent, ready to be started.
 *
 * @param tool name and version, for the log; of an agent, its run
 * @param command what to run inside the cage
 * @param surroundings what it finds there
 * @param filter file with the compiled seccomp filter
 * @param calls what that filter was compiled from
 */
record Program(
    String tool,
    List<String> command,
    Surroundings surroundings,
    Path filter,
    SeccompProfile calls,
    Limits limits,
    Devices.Granted devices) {
  Program {
    command = List.copyOf(command);
  }
}
