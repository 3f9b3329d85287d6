package org.aionos.kernel.task;

import java.nio.file.Path;
import org.aionos.kernel.AgentId;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Ways to the kernel for agents that run as processes. Whoever comes through a door is the agent of
 * the door, in the task of the door, whatever it signs or says.
 */
@ProviderType
public interface AgentDoors {

  /** Name of the socket within its folder. */
  String SOCKET = "kernel.sock";

  /**
   * Opens a socket that speaks HTTP as the port does.
   *
   * @param task the calls' {@code context.task_id}, in place of any other
   * @param folder that exists and that the agent's process can reach; it must be able to connect
   * @throws java.io.UncheckedIOException if there can be no socket
   */
  Door open(AgentId agent, String task, Path folder);

  /** Takes the socket away; requests inside are finished. Never throws. */
  interface Door extends AutoCloseable {
    @Override
    void close();
  }
}
