package org.aionos.gateway;

import java.util.List;
import java.util.stream.Stream;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity;
import org.aionos.kernel.Journal;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.ToolCanaries;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.ToolInstaller;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.model.Models;
import org.aionos.kernel.policy.Approvals;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Scheduler;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * The kernel as the gateway sees it right now. Its parts come and go while the gateway stays: a
 * static reference would take the port away, and callers would see refused connections instead of
 * 503.
 */
@Component(service = Kernel.class)
public class Kernel {

  @Reference(
      name = "identity",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Identity identity;

  @Reference(
      name = "router",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable SyscallRouter router;

  @Reference(
      name = "processes",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable ProcessTable processes;

  @Reference(
      name = "policy",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Policy policy;

  @Reference(
      name = "versions",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable PolicyVersions versions;

  @Reference(
      name = "approvals",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Approvals approvals;

  @Reference(
      name = "journal",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Journal journal;

  @Reference(
      name = "reader",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable JournalReader reader;

  @Reference(
      name = "tools",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable ToolCatalog tools;

  @Reference(
      name = "meters",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Meters meters;

  /** That it is there says, too, that the tools of the last run are back. */
  @Reference(
      name = "installer",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable ToolInstaller installer;

  @Reference(
      name = "canaries",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable ToolCanaries canaries;

  @Reference(
      name = "memory",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable MemoryControl memory;

  @Reference(
      name = "scheduler",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Scheduler scheduler;

  @Reference(
      name = "budgets",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Budgets budgets;

  @Reference(
      name = "models",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Models models;

  @Reference(
      name = "brain",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Brain brain;

  @Activate
  public Kernel() {}

  /** Types of memory whose store does not answer, and where each is kept. */
  List<String> memoryAway() {
    MemoryControl known = memory;
    return known == null
        ? List.of()
        : known.kept().stream()
            .filter(kept -> !kept.isThere())
            .map(kept -> kept.type() + " memory (" + kept.driver() + ")")
            .toList();
  }

  Identity identity() {
    return present(identity, "identity");
  }

  ToolCanaries canaries() {
    return present(canaries, "trust");
  }

  SyscallRouter router() {
    return present(router, "router");
  }

  ProcessTable processes() {
    return present(processes, "process");
  }

  Policy policy() {
    return present(policy, "policy");
  }

  PolicyVersions versions() {
    return present(versions, "policy");
  }

  Approvals approvals() {
    return present(approvals, "policy");
  }

  Journal journal() {
    return present(journal, "journal");
  }

  JournalReader reader() {
    return present(reader, "journal");
  }

  ToolCatalog tools() {
    return present(tools, "router");
  }

  ToolInstaller installer() {
    return present(installer, "trust");
  }

  Meters meters() {
    return present(meters, "telemetry");
  }

  Scheduler scheduler() {
    return present(scheduler, "scheduler");
  }

  Budgets budgets() {
    return present(budgets, "scheduler");
  }

  Models models() {
    return present(models, "model");
  }

  Brain brain() {
    return present(brain, "brain");
  }

  /** The processes of agents, as far as anybody knows. */
  List<Scheduler.Process> agentProcesses(@Nullable String tenant) {
    Scheduler known = scheduler;
    return known == null ? List.of() : known.processes(tenant);
  }

  /** The bundles that an agent would miss, and that are not there. */
  List<String> missing() {
    return Stream.of(
            identity == null ? "identity" : "",
            router == null ? "router" : "",
            processes == null ? "process" : "",
            policy == null ? "policy" : "",
            journal == null ? "journal" : "",
            scheduler == null ? "scheduler" : "",
            installer == null ? "trust" : "")
        .filter(name -> !name.isEmpty())
        .toList();
  }

  private static <T> T present(@Nullable T part, String bundle) {
    if (part == null) {
      throw new Refused(Code.RESTARTING, "the " + bundle + " bundle is being replaced; retry");
    }
    return part;
  }
}
