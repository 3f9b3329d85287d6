package org.aionos.sandbox;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.tool.ToolCall;

/**
 * A kernel of a user who is not root, in a process of its own: makes attacks and says how each
 * ended, a line each.
 */
final class AttackAsUser {

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
    ProcessTier tier =
        new ProcessTier(configs, Path.of(arguments[0]), Path.of(arguments[1]), Devices.GPUS);
    try (ConfinedTool tool = tier.open(Jar.attacker(Map.of()))) {
      for (int i = 4; i < arguments.length; i++) {
        System.out.println(arguments[i] + ": " + outcome(tool, arguments[i]));
      }
    } catch (Refused refused) {
      System.out.println(refused.getMessage());
    } finally {
      tier.close();
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
