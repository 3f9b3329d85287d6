package org.aionos.brain;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import org.aionos.kernel.Journal;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.Meters;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.model.Models;
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
import org.osgi.service.metatype.annotations.Designate;

/** The Brain as a service: models and memory may come and go under it. */
@Component(service = Brain.class, configurationPid = "org.aionos.brain")
@Designate(ocd = BrainConfig.class)
public final class PolicyBrain implements Brain {

  private final Brain thinker;

  @Reference(
      name = "models",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Models models;

  @Reference(
      name = "memory",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable MemoryControl memory;

  @Activate
  public PolicyBrain(
      BrainConfig config,
      @Reference(name = "versions") PolicyVersions versions,
      @Reference(name = "scheduler") Scheduler scheduler,
      @Reference(name = "budgets") Budgets budgets,
      @Reference(name = "reader") JournalReader reader,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters) {
    this.thinker =
        new Thinker(
            versions,
            scheduler,
            new Telemetry(scheduler, reader, budgets),
            journal,
            meters,
            () -> memory,
            () -> models,
            Caution.of(config),
            new Thinker.Asking(
                config.model(),
                config.allowCloud(),
                Duration.ofSeconds(config.timeSecondsMax()),
                config.tokensMax()),
            InstantSource.system());
  }

  @Override
  public Proposal propose(@Nullable Map<String, @Nullable Object> snapshot, String by)
      throws InterruptedException {
    return thinker.propose(snapshot, by);
  }

  @Override
  public Simulation simulate(String version) throws InterruptedException {
    return thinker.simulate(version);
  }
}
