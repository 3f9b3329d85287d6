package org.aionos.scheduler;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.aionos.kernel.task.AgentLauncher.Gpu;
import org.aionos.kernel.task.AgentLauncher.Launch;
import org.aionos.kernel.task.AgentLauncher.Resources;

/** Makes of a task what is to be run. */
final class Starts {

  /** Where an agent finds the SDK. */
  static final String SDK = "/libraries/sdk";

  private static final int ID_LENGTH = 16;

  private final ProcessTable processes;
  private final Policy policy;
  private final Programs programs;
  private final SettingsFile settings;
  private final Neighbours neighbours;
  private final AgentLauncher.Folder sdk;

  Starts(
      ProcessTable processes,
      Policy policy,
      Programs programs,
      SettingsFile settings,
      Neighbours neighbours,
      AgentLauncher.Folder sdk) {
    this.processes = processes;
    this.policy = policy;
    this.programs = programs;
    this.settings = settings;
    this.neighbours = neighbours;
    this.sdk = sdk;
  }

  /**
   * The agent of a task, as it is registered now.
   *
   * @throws Refused {@code UNKNOWN_AGENT}, {@code AGENT_STOPPED}
   */
  AgentProcess agent(AgentId id) {
    AgentProcess row =
        processes
            .find(id)
            .orElseThrow(() -> new Refused(Code.UNKNOWN_AGENT, id + " is not registered"));
    if (row.state() == AgentProcess.State.STOPPED) {
      throw new Refused(Code.AGENT_STOPPED, "an operator has stopped " + id);
    }
    return row;
  }

  /**
   * Gets a run ready; nothing runs yet.
   *
   * @throws Refused if it cannot be run as it is
   */
  Run run(Work work, AgentProcess agent, Consumer<Run.End> ended) {
    Intent intent = work.order().meant();
    return intent instanceof Intent.Agent
        ? agentRun(work, agent, ended)
        : callsRun(work, intent, ended);
  }

  /** Whether a task can be stopped in its middle. */
  static boolean isPreemptible(Work work) {
    return !(work.order().meant() instanceof Intent.Call call)
        || Repeatable.canGoOn(call.syscall());
  }

  private Run callsRun(Work work, Intent intent, Consumer<Run.End> ended) {
    try {
      List<Steps.Step> steps = Steps.of(intent, Fields.of(work.order().params(), "/params"));
      boolean single = intent instanceof Intent.Call;
      return new CallsRun(work.agent(), work.key().id(), steps, single, neighbours::router, ended);
    } catch (InvalidDocument checkedWhenItWasSubmitted) {
      throw new IllegalStateException(checkedWhenItWasSubmitted);
    }
  }

  private Run agentRun(Work work, AgentProcess agent, Consumer<Run.End> ended) {
    AgentLauncher launcher = neighbours.launcher();
    AgentDoors gateway = neighbours.doors();
    if (launcher == null || gateway == null) {
      throw new Refused(
          Code.RESTARTING,
          "the " + (launcher == null ? "sandbox" : "gateway") + " is being replaced; retry");
    }
    Programs.Program program = programs.of(agent);
    Manifest manifest = Manifest.of(agent);
    Set<String> grants = policy.grants(agent.id(), agent.declared()).capabilities();
    Launch launch =
        new Launch(
            id(work),
            agent.id(),
            program.command(),
            program.code(),
            Map.of(SDK, sdk),
            environment(work),
            resources(manifest.resources(), grants),
            manifest.subprocesses() && grants.contains("subprocess"),
            settings.now().limits().outputBytesMax());
    return new AgentRun(
        work.key().id(),
        launch,
        launcher,
        neighbours::doors,
        settings.now().limits().stop(),
        ended);
  }

  /** What policy does not grant, an agent that can do without it does not get. */
  private static Resources resources(Resources asked, Set<String> grants) {
    if (asked.gpu() == Gpu.REQUIRED && !grants.contains("gpu")) {
      throw new Refused(
          Code.CAPABILITY_DENIED, "its manifest requires a gpu, and policy does not grant gpu");
    }
    return grants.contains("gpu")
        ? asked
        : new Resources(asked.cpuPercent(), asked.memoryBytesMax(), Gpu.NONE);
  }

  /** Task ids hold what no name of a process may, and are a tenant's own. */
  private static String id(Work work) {
    String digest = CallLog.digest(work.key().toString(), Map.of());
    return digest.substring(0, ID_LENGTH) + "-" + work.progress().starts;
  }

  private static Map<String, String> environment(Work work) {
    Map<String, String> environment = new LinkedHashMap<>();
    environment.put("AION_KERNEL_URL", AgentLauncher.KERNEL_URL);
    environment.put("AION_AGENT_ID", work.agent().toString());
    environment.put("AION_TENANT", work.agent().tenant());
    environment.put("AION_TASK_ID", work.key().id());
    environment.put("AION_TASK_ATTEMPT", Integer.toString(work.progress().attempt));
    environment.put(
        "AION_TASK_PARAMS",
        new String(
            Documents.write(work.order().params()), java.nio.charset.StandardCharsets.UTF_8));
    environment.put("PYTHONPATH", AgentLauncher.CODE + ":" + SDK);
    environment.put("PYTHONDONTWRITEBYTECODE", "1");
    environment.put("PYTHONUNBUFFERED", "1");
    return environment;
  }
}
