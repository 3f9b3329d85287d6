package org.aionos.sandbox;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.task.AgentLauncher.Gpu;
import org.aionos.kernel.task.AgentLauncher.Launch;
import org.aionos.kernel.task.AgentLauncher.Resources;

/** A kernel in a process of its own, which launches an agent and waits to be killed. */
final class AgentOfAKilledKernel {

  private AgentOfAKilledKernel() {}

  /** Arguments: state folder, profiles folder, and a word by which to know the agent. */
  public static void main(String[] arguments) throws Exception {
    Configs configs = Configs.usual();
    Host host =
        new Host(
            configs,
            Path.of(arguments[0]),
            Path.of(arguments[1]),
            Devices.GPUS,
            Path.of("/sys/fs/cgroup"));
    new AgentCages(configs, host)
        .launch(
            new Launch(
                "doomed",
                new AgentId("tenantA", "researcher-1"),
                List.of("/bin/sh", "-c", "sleep 600 & sleep 600", arguments[2]),
                new AgentCagesTest.CountingFolder(Map.of()),
                Map.of(),
                Map.of(),
                new Resources(100, 64L << 20, Gpu.NONE),
                true,
                1_000),
            door -> {},
            exit -> {});
    System.out.println("runs");
    Thread.sleep(600_000);
  }
}
