package org.aionos.policy;

import static java.util.stream.Collectors.toList;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.aionos.document.InvalidDocument;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Journal;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Policy;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.policy.PolicyVersions;
import org.aionos.kernel.policy.Tuning;
import org.aionos.kernel.task.Cluster;
import org.aionos.policies.Difference;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.RuleBook;
import org.aionos.policies.Widening;
import org.aionos.policy.InForce.Loaded;
import org.aionos.policy.KeptVersions.Kept;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides, and tunes, by the version in force, or by the canary for the tenants that have it. The
 * operator's file {@code agent.capabilities.yaml} becomes a version of its own whenever it changes,
 * while calls go on. A file that cannot be used changes nothing: what is in force stays, across
 * restarts too, and {@link #version} says why. With no version at all, everything is denied.
 */
@Component(
    service = {Policy.class, Tuning.class, PolicyVersions.class},
    configurationPid = "org.aionos.policy",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = PolicyConfig.class)
public final class VersionedPolicy implements Policy, Tuning, PolicyVersions {

  static final String FILE_NAME = PolicyDocument.CAPABILITIES;

  private static final Logger log = LoggerFactory.getLogger(VersionedPolicy.class);

  /** Much less than the shortest interval of gates. */
  private static final long LOOK_MILLIS = 200;

  private static final int LIST_MAX = 1_000;

  private final Path file;
  private final Path superseded;
  private final Disk disk;
  private final FolderWatch watch;
  private final Switches switches;
  private final RevocationFile revocations;
  private final Trials trials;
  private final SharedPolicy shared;
  private final SharedPolicy sharedRevocations;
  private final Neighbours neighbours;
  private final ScheduledExecutorService keeper;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private final Meters.Counter switched;
  private final Meters.Counter rolledBack;
  private volatile String rejected = "no policy file was read yet";

  /** Null for a kernel that is alone. */
  @Reference(
      name = "cluster",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Cluster cluster;

  @Activate
  public VersionedPolicy(
      PolicyConfig config,
      BundleContext context,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters)
      throws IOException {
    this(
        config.dir().isEmpty()
            ? Path.of(String.valueOf(context.getProperty("aion.policies")))
            : Path.of(config.dir()),
        Path.of(String.valueOf(context.getProperty("aion.state")), "policy"),
        Duration.ofMillis(config.reloadMillis()),
        new Disk(operation -> {}),
        journal,
        meters,
        new FoundNeighbours(context),
        InstantSource.system(),
        System::nanoTime,
        new SecureRandom());
  }

  VersionedPolicy(
      Path folder,
      Path state,
      Duration reload,
      Disk disk,
      Journal journal,
      Meters meters,
      Neighbours neighbours,
      InstantSource clock,
      LongSupplier nanos,
      RandomGenerator random)
      throws IOException {
    this.file = folder.resolve(FILE_NAME);
    this.superseded = state.resolve("superseded." + FILE_NAME);
    this.disk = disk;
    this.neighbours = neighbours;
    this.switched =
        meters.counter("aion_policy_switches_total", "Times that another policy came into force");
    this.rolledBack =
        meters.counter(
            "aion_policy_rollbacks_total", "Times that a policy was gone back from, by whomever");
    this.trials = new Trials(meters, clock, nanos);
    Path kept = writable(folder, state);
    Files.createDirectories(state);
    this.switches = new Switches(kept, state, disk, journal, clock, new Heard(), trials::settled);
    this.revocations =
        new RevocationFile(kept, state, disk, journal, clock, random, switches::revoked);
    this.watch = new FolderWatch("aion-policy-watch", folder, ".yaml", this::changed);
    this.shared =
        new SharedPolicy(
            SharedPolicy.NAME,
            () -> cluster,
            state.resolve("cluster-number"),
            nanos,
            new SharedVersion());
    this.sharedRevocations =
        new SharedPolicy(
            SharedPolicy.REVOCATIONS,
            () -> cluster,
            state.resolve("cluster-number.revocations"),
            nanos,
            new SharedRevocations());
    this.keeper =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "aion-policy-keeper");
              thread.setDaemon(true);
              return thread;
            });
    start(reload);
  }

  /** A folder that an operator mounted read-only still holds the operator's file. */
  private static Path writable(Path folder, Path state) {
    try {
      Files.createDirectories(folder);
    } catch (IOException readOnly) {
      log.debug("the folder of policies cannot be made: folder={}", folder);
    }
    if (Files.isWritable(folder)) {
      return folder;
    }
    log.warn("versions of the policy are kept in {}, since {} is not writable", state, folder);
    return state;
  }

  private void start(Duration reload) {
    watch.settle();
    revocations.restore();
    switches.restore(bytesOrNull());
    reload();
    if (switches.inForce().stable() == null) {
      log.error("policy denies everything: no good version of {} was ever seen", file);
    }
    watch.start(reload);
    keeper.scheduleWithFixedDelay(this::lookOrLog, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    shared.start();
    sharedRevocations.start();
  }

  private byte @Nullable [] bytesOrNull() {
    try {
      return Files.readAllBytes(file);
    } catch (IOException none) {
      return null;
    }
  }

  /** Whatever goes wrong, the next look must come: an executor drops a task that throws. */
  private void lookOrLog() {
    try {
      look();
    } catch (RuntimeException unexpected) {
      log.error("the figures of the policy could not be looked at", unexpected);
    }
  }

  /** For tests: what a thread does by itself a few times a second. */
  void look() {
    trials.look(switches);
  }

  @Deactivate
  void close() {
    shared.close();
    sharedRevocations.close();
    watch.close();
    keeper.shutdownNow();
  }

  private void changed(Path path) {
    String name = String.valueOf(path.getFileName());
    if (name.equals(FILE_NAME)) {
      reload();
    } else if (name.equals(RevocationFile.FILE_NAME)) {
      revocations.reload();
      sharedRevocations.soon();
    }
  }

  private final class Heard implements Switches.Listener {

    @Override
    public void switched() {
      switched.add(1);
      shared.soon();
      tell();
    }

    @Override
    public void rolledBack() {
      rolledBack.add(1);
    }
  }

  private void tell() {
    try {
      keeper.execute(
          () -> {
            for (Runnable listener : listeners) {
              try {
                listener.run();
              } catch (RuntimeException theirs) {
                log.error("whoever listens to the policy failed", theirs);
              }
            }
          });
    } catch (RejectedExecutionException closing) {
      log.debug("a change of policy is told by the next life of this bundle");
    }
  }

  // --- decisions ------------------------------------------------------------------------------

  @Override
  public Decision decide(Asked asked, AgentProcess agent, Set<String> needs) {
    InForce now = switches.inForce();
    Syscall syscall = asked.syscall();
    RuleBook book = now.book(agent.id().tenant());
    if (now.revoked().isEmpty()) {
      return book.decide(syscall, agent, needs);
    }
    Decision denied = now.revoked().denies(syscall, needs, book.version());
    return denied != null
        ? denied
        : now.revoked().narrow(agent.id(), book.decide(syscall, agent, needs));
  }

  @Override
  public Decision decideTool(
      Decision.Allow permit, AgentProcess agent, String tool, Set<String> needs, Trust trust) {
    InForce now = switches.inForce();
    RuleBook book = now.book(agent.id().tenant());
    Decision denied =
        now.revoked().isEmpty()
            ? null
            : now.revoked().deniesTool(agent.id(), tool, needs, book.version());
    return denied != null ? denied : book.decideTool(permit, agent, tool, needs, trust);
  }

  @Override
  public void observe(Syscall syscall, Decision.Allow by, Outcome outcome, Duration took) {
    Observed calls = switches.inForce().observed(by.policyVersion());
    if (calls != null) {
      calls.record(outcome, took);
    }
  }

  @Override
  public Grants grants(AgentId agent, Declared declared) {
    InForce now = switches.inForce();
    return now.revoked().narrow(agent, now.book(agent.tenant()).grants(agent, declared));
  }

  @Override
  public Policy.Version version() {
    Loaded stable = switches.inForce().stable();
    String revoked = revocations.rejected();
    return new Policy.Version(
        stable == null ? RuleBook.EMPTY.version() : stable.name(),
        stable == null ? file.toString() : switches.source(stable).toString(),
        rejected.isEmpty() && !revoked.isEmpty()
            ? RevocationFile.FILE_NAME + ": " + revoked
            : rejected);
  }

  @Override
  public String behind() {
    String version = shared.behind();
    return version.isEmpty() ? sharedRevocations.behind() : version;
  }

  // --- tuning ---------------------------------------------------------------------------------

  @Override
  public Scheduling scheduling() {
    Loaded stable = switches.inForce().stable();
    return stable == null ? Scheduling.UNSAID : stable.document().scheduling();
  }

  @Override
  public Quota quota(String tenant) {
    Loaded version = switches.inForce().of(tenant);
    return version == null ? Quota.UNSAID : version.document().quota(tenant);
  }

  @Override
  public Quota quota(AgentId agent) {
    Loaded version = switches.inForce().of(agent.tenant());
    return version == null ? Quota.UNSAID : version.document().quota(agent);
  }

  @Override
  public Models models(String tenant) {
    Loaded version = switches.inForce().of(tenant);
    return version == null ? Models.UNSAID : version.document().models(tenant);
  }

  @Override
  public Memory memory(String tenant) {
    Loaded version = switches.inForce().of(tenant);
    return version == null ? Memory.UNSAID : version.document().memory(tenant);
  }

  @Override
  public AutoCloseable listen(Runnable changed) {
    listeners.add(changed);
    return () -> listeners.remove(changed);
  }

  // --- the operator's file --------------------------------------------------------------------

  /** Takes the file into force if it is good and new. */
  void reload() {
    try {
      switches.take(Files.readAllBytes(file));
      rejected = "";
    } catch (InvalidPolicy invalid) {
      reject(invalid.describe());
    } catch (NoSuchFileException missing) {
      reject(file + " does not exist");
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    } catch (RuntimeException refused) {
      // The journal would not have it: a version nobody can prove was in force must not be.
      reject(String.valueOf(refused.getMessage()));
    }
  }

  private void reject(String why) {
    rejected = why;
    Loaded stable = switches.inForce().stable();
    String kept = stable == null ? null : stable.name();
    log.error("policy refused: file={} why={} kept={}", file, why, kept);
    switches.refused(why, kept);
  }

  // --- the cluster ----------------------------------------------------------------------------

  /** For tests: what threads do by themselves soon. */
  void exchange() {
    shared.exchange();
    sharedRevocations.exchange();
  }

  private final class SharedVersion implements SharedPolicy.Here {

    @Override
    public byte[] inForce() {
      return switches.written();
    }

    @Override
    public boolean is(byte[] document) {
      Loaded stable = switches.inForce().stable();
      try {
        return stable != null
            && stable.sha256().equals(Switches.Given.read(document).document().sha256());
      } catch (InvalidPolicy | InvalidDocument unreadable) {
        return false;
      }
    }

    /** What stood in the operator's file is kept, since a person may have written it. */
    @Override
    public void adopt(byte[] document) throws InvalidPolicy, InvalidDocument, IOException {
      Switches.Given given = Switches.Given.read(document);
      byte[] capabilities =
          given.document().files().getOrDefault(PolicyDocument.CAPABILITIES, new byte[0]);
      switches.adopt(given.name(), given.document(), () -> replace(capabilities));
      rejected = "";
      log.info("policy adopted from the cluster: version={}", given.name());
    }
  }

  private void replace(byte[] capabilities) throws IOException {
    byte[] there = bytesOrNull();
    if (!Arrays.equals(there, capabilities) && Files.isWritable(file.getParent())) {
      if (there != null) {
        disk.write(superseded, there);
      }
      disk.write(file, capabilities);
    }
  }

  private final class SharedRevocations implements SharedPolicy.Here {

    @Override
    public byte[] inForce() {
      return revocations.written();
    }

    @Override
    public boolean is(byte[] document) {
      return revocations.is(document);
    }

    @Override
    public void adopt(byte[] document) throws InvalidDocument, IOException {
      revocations.adopt(document);
    }
  }

  // --- versions -------------------------------------------------------------------------------

  @Override
  public Optional<PolicyVersions.Version> current() {
    return switches.current();
  }

  @Override
  public List<PolicyVersions.Version> list(@Nullable String after, int limit) {
    return switches.list(after, Math.max(1, Math.min(LIST_MAX, limit)));
  }

  @Override
  public Whole find(String version) {
    Kept kept = switches.find(version);
    return new Whole(switches.shown(kept.about()), kept.document().texts());
  }

  @Override
  public PolicyVersions.Version add(Proposal proposal, @Nullable Caller by) {
    return switches.add(proposal, by);
  }

  @Override
  public List<Change> diff(String from, String to) {
    return Difference.between(switches.find(from).document(), switches.find(to).document()).stream()
        .map(
            change ->
                new Change(
                    change.file(),
                    change.pointer(),
                    change.before(),
                    change.after(),
                    change.matter().written()))
        .collect(toList());
  }

  @Override
  public List<Wider> widening(String from, String to) {
    return Widening.between(switches.find(from).document(), switches.find(to).document()).stream()
        .map(each -> new Wider(each.file(), each.pointer(), each.says()))
        .toList();
  }

  @Override
  public PolicyVersions.Version activate(
      String version, Activation activation, @Nullable Caller by) {
    return switches.activate(version, activation, by);
  }

  @Override
  public PolicyVersions.Version rollback(String version, String reason, @Nullable Caller by) {
    return switches.rollback(version, reason, by);
  }

  @Override
  public Optional<Trial> canary() {
    return trials.trial(switches);
  }

  @Override
  public PolicyVersions.Version promote(@Nullable Caller by) {
    return switches.promote(by);
  }

  @Override
  public void end(String reason, @Nullable Caller by) {
    switches.end(reason, by);
  }

  @Override
  public DryRun dryRun(String version) {
    JournalReader journal = neighbours.journal();
    ProcessTable processes = neighbours.processes();
    if (journal == null || processes == null) {
      throw new Refused(Code.RESTARTING, "the journal or the table of agents is being replaced");
    }
    Kept then = switches.find(version);
    Loaded stable = switches.inForce().stable();
    return new Rehearsal(
            journal,
            processes,
            neighbours.tools(),
            stable == null ? RuleBook.EMPTY : stable.book(),
            then.document().rules(version))
        .run(version, stable == null ? RuleBook.EMPTY.version() : stable.name());
  }

  @Override
  public List<Revocation> revocations() {
    return revocations.newestFirst();
  }

  @Override
  public Revocation revoke(Revoking what, @Nullable Caller by) {
    Revocation made = revocations.revoke(what, by);
    sharedRevocations.soon();
    return made;
  }

  @Override
  public void lift(String id, @Nullable Caller by) {
    revocations.lift(id, by);
    sharedRevocations.soon();
  }

  @Override
  public String operatorCalled() {
    return switches.called();
  }
}
