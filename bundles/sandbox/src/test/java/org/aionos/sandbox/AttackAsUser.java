package org.aionos.sandbox;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentLauncher.Exit;
import org.aionos.kernel.task.AgentLauncher.Gpu;
import org.aionos.kernel.task.AgentLauncher.Launch;
import org.aionos.kernel.task.AgentLauncher.Resources;
import org.aionos.tool.ToolCall;

/**
 * A kernel of a user who is not root, in a process of its own: makes attacks and says how each
 * ended, a line each.
 */
final class AttackAsUser {

  static final String AN_AGENT = "an agent";

  private AttackAsUser() {}

  /**
   * Arguments: state folder, profiles folder, cgroups or degraded, the OCI runtime or nothing, then
   * attacks.
   */
  public static void main(String[] arguments) throws Exception {
    Configs configs = Configs.launchedBy(arguments[3]);
    if (arguments[2].equals("degraded")) {
      configs = configs.degradedOnes();
    }
    TierOnHost tier =
        new TierOnHost(configs, Path.of(arguments[0]), Path.of(arguments[1]), Devices.GPUS);
    try (ConfinedTool tool = tier.open(Jar.attacker(Map.of()))) {
      for (int i = 4; i < arguments.length; i++) {
        System.out.println(
            arguments[i]
                + ": "
                + (arguments[i].equals(AN_AGENT)
                    ? agent(configs, tier.host())
                    : outcome(tool, arguments[i])));
      }
    } catch (Refused refused) {
      System.out.println(refused.getMessage());
    } finally {
      tier.close();
    }
  }

  /** What an agent hears from its kernel. */
  private static String agent(Configs configs, Host host) throws Exception {
    AgentCages cages = new AgentCages(configs, host);
    CompletableFuture<Exit> exit = new CompletableFuture<>();
    try {
      cages.launch(
          new Launch(
              "a",
              new AgentId("tenantA", "researcher-1"),
              List.of(
                  "/usr/bin/python3",
                  "-c",
                  "import socket; print(socket.create_connection(('localhost', 8010)).recv(9))"),
              new AgentCagesTest.CountingFolder(Map.of("main", "")),
              Map.of(),
              Map.of(),
              new Resources(100, 64L << 20, Gpu.NONE),
              false,
              1_000),
          door -> new KernelSocket(door, "kernel"),
          exit::complete);
      return exit.get(20, TimeUnit.SECONDS).output().stdout().strip();
    } finally {
      cages.close();
    }
  }

  private static Object outcome(ConfinedTool tool, String attack) throws Exception {
    try {
      return tool.invoke(
              new ToolCall(
                  "sc-0",
                  "hostile",
                  Map.of(
                      "attack", attack, "argument", Long.toString(ProcessHandle.current().pid())),
                  Instant.MAX,
                  null),
              new AgentId("tenantA", "researcher-1"),
              new AttackTest.NoEffects())
          .value()
          .get("breached");
    } catch (Refused refused) {
      return refused.problem().code();
    }
  }
}
