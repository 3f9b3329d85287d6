package org.aionos.trust;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.aionos.files.FolderWatch;
import org.aionos.gate.Gate;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCanaries;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.ToolInstaller;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Installs, replaces and removes tool bundles: from {@code deploy/}, and by hand. Only bytes that a
 * vendor signed or an operator allowed get in, and exactly those bytes. A tool's new version is up
 * before its old one goes, so no call falls between.
 *
 * <p>Tool bundles are started for this run only: after a restart the framework does not start them
 * from its cache, we do, from bytes that were checked again. Trust that is taken back takes its
 * tools out of service at once.
 */
@Component(
    service = {ToolInstaller.class, ToolCanaries.class},
    immediate = true,
    configurationPid = "org.aionos.trust",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = TrustConfig.class)
public final class ToolDeployment implements ToolInstaller, ToolCanaries {

  private static final Logger log = LoggerFactory.getLogger(ToolDeployment.class);

  /** A clock that is set meanwhile delays a revocation that is due by no more than this. */
  private static final Duration REVOCATION_LATE_MAX = Duration.ofMinutes(1);

  private final Journal journal;
  private final InstantSource clock;
  private final AllowList allowed;
  private final Admission admission;
  private final boolean signatureRequired;
  private final ToolStore store;
  private final ToolBundles bundles;
  private final long jarBytesMax;
  private final DeployFolder deploy;
  private final FolderWatch allowWatch;
  private final FolderWatch vendorWatch;
  private final ScheduledExecutorService later;

  /** Guarded by this, as is what follows. */
  private final Canaries canaries;

  private @Nullable ScheduledFuture<?> nextReview;

  @Activate
  public ToolDeployment(
      TrustConfig config,
      BundleContext context,
      @Reference(name = "gate") Gate gate,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "catalog") ToolCatalog catalog)
      throws IOException {
    this.journal = journal;
    this.clock = Clock.systemUTC();
    Path trusted = folder(context, "aion.config").resolve("trust");
    Path vendors = Files.createDirectories(trusted.resolve("vendors"));
    this.allowed = AllowList.ofTools(trusted);
    this.signatureRequired = config.requireSignature();
    this.admission =
        new Admission(() -> Vendors.read(vendors), allowed::allows, signatureRequired, clock);
    this.store =
        new ToolStore(Files.createDirectories(folder(context, "aion.state").resolve("trust")));
    this.bundles =
        new ToolBundles(context, gate, catalog, Duration.ofMillis(config.startMillisMax()));
    this.jarBytesMax = config.jarBytesMax();
    this.deploy =
        new DeployFolder(folder(context, "aion.deploy"), jarBytesMax, store, new FromFiles());
    this.allowWatch =
        new FolderWatch("aion-allow-list", trusted, AllowList.TOOLS, file -> reconsider());
    this.vendorWatch = new FolderWatch("aion-vendors", vendors, "", file -> reconsider());
    this.later =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "aion-trust");
              thread.setDaemon(true);
              return thread;
            });
    this.canaries = new Canaries(store, bundles, catalog, this::soon, this::recordOrLog);
    start(Duration.ofMillis(config.watchMillis()));
  }

  private void soon(Runnable change) {
    try {
      later.execute(
          () -> {
            synchronized (this) {
              change.run();
            }
          });
    } catch (RejectedExecutionException weAreClosed) {
      log.debug("left to who comes after us", weAreClosed);
    }
  }

  private static Path folder(BundleContext context, String property) {
    return Path.of(String.valueOf(context.getProperty(property)));
  }

  /** After a restart: everything of the former run goes, what is still trusted comes back. */
  private void start(Duration look) {
    bundles.forgetFormerRun();
    // Before the tools are looked at: what changes from now on is looked at again.
    allowWatch.settle();
    vendorWatch.settle();
    reviewInstalled();
    deploy.start(look);
    allowWatch.start(look);
    vendorWatch.start(look);
  }

  /**
   * Running tools keep running, on trial or not: another instance of this bundle will find them.
   */
  @Deactivate
  void close() {
    deploy.close();
    allowWatch.close();
    vendorWatch.close();
    later.shutdownNow();
  }

  @Override
  public void allow(String digest, String by) {
    allowed.add(digest);
    record("tool.allowed", Map.of("digest", digest, "by", by));
  }

  @Override
  public void disallow(String digest, String by) {
    allowed.remove(digest);
    record("tool.disallowed", Map.of("digest", digest, "by", by));
  }

  @Override
  public Set<String> allowed() {
    return allowed.digests();
  }

  @Override
  public Plan plan(byte[] jar) {
    return plan(ToolJar.read(jar, jarBytesMax));
  }

  @Override
  public Plan install(byte[] jar, String by) {
    return install(jar, null, false, by).plan();
  }

  @Override
  public Verdict verdict(byte[] bytes, byte @Nullable [] signature) {
    ToolJar jar = ToolJar.read(bytes, jarBytesMax);
    return verdict(jar, rule(jar, signature));
  }

  @Override
  public Verdict install(byte[] jar, byte @Nullable [] signature, boolean force, String by) {
    return install(ToolJar.read(jar, jarBytesMax), signature, force, null, by);
  }

  @Override
  public synchronized void remove(String name, @Nullable String version, String by) {
    ToolStore.Share beside = store.canaries().get(name);
    if (beside != null && (version == null || version.equals(beside.entry().version()))) {
      end(name, by);
      if (version != null) {
        return;
      }
    }
    ToolStore.Entry entry = store.tools().get(name);
    if (entry == null || (version != null && !version.equals(entry.version()))) {
      throw new Refused(
          Code.UNKNOWN_TOOL,
          "no tool " + name + (version == null ? "" : "@" + version) + " is installed");
    }
    takeDown(name, entry.version(), by);
  }

  private Ruling rule(ToolJar jar, byte @Nullable [] signature) {
    return admission.besides(
        admission.rule(jar, signature), jar, store.tools().get(jar.manifest().name()));
  }

  private Verdict verdict(ToolJar jar, Ruling ruling) {
    return new Verdict(
        plan(jar),
        jar.manifest().tier(),
        ruling.signer(),
        ruling.problem(),
        ruling.isForcible(),
        bundles.dependents(jar),
        bundles.callsInFlight(jar.manifest().name()));
  }

  private synchronized Verdict install(
      ToolJar jar, byte @Nullable [] signature, boolean force, @Nullable String file, String by) {
    Ruling ruling = rule(jar, signature);
    Verdict verdict = admitted(verdict(jar, ruling), force);
    String name = jar.manifest().name();
    canaries.refuseIfThereIs(name);
    List<Bundle> before = bundles.running(name);
    if (bundles.running(name, jar.digest()) == null) {
      bundles.bringUp(jar);
      before.forEach(bundles::uninstall);
      record("tool.installed", facts(jar, verdict, by));
    }
    store.put(jar, ruling.signer() == null ? null : signature, entry(jar, ruling, file));
    return verdict;
  }

  /**
   * @throws Refused if the verdict is no, and force does not change that
   */
  private static Verdict admitted(Verdict verdict, boolean force) {
    Problem refusal = verdict.refusal();
    if (refusal != null && !(force && verdict.forcible())) {
      throw new Refused(refusal);
    }
    return verdict;
  }

  private ToolStore.Entry entry(ToolJar jar, Ruling ruling, @Nullable String file) {
    return new ToolStore.Entry(
        jar.manifest().version(), jar.digest(), file, ruling.signer(), clock.instant());
  }

  // --- canaries -------------------------------------------------------------------------------

  @Override
  public synchronized List<Canary> canaries() {
    return canaries.list();
  }

  @Override
  public synchronized Verdict begin(
      byte[] bytes, byte @Nullable [] signature, boolean force, int percent, String by) {
    ToolJar jar = ToolJar.read(bytes, jarBytesMax);
    Ruling ruling = rule(jar, signature);
    Verdict verdict = admitted(verdict(jar, ruling), force);
    canaries.begin(
        jar,
        ruling.signer() == null ? null : signature,
        new ToolStore.Share(entry(jar, ruling, null), percent),
        facts(jar, verdict, by));
    return verdict;
  }

  @Override
  public synchronized Canary weigh(String tool, int percent, String by) {
    return canaries.weigh(tool, percent, by);
  }

  @Override
  public void promote(String tool, String by) {
    synchronized (this) {
      canaries.promote(tool, by);
    }
    // What was refused because there was a canary.
    deploy.retry();
  }

  @Override
  public void end(String tool, String by) {
    synchronized (this) {
      canaries.end(tool, by);
    }
    deploy.retry();
  }

  private void reviewCanary(String tool, ToolStore.Share share) {
    ToolStore.Entry entry = share.entry();
    try {
      ToolJar jar = stored(entry);
      Ruling ruling = admission.rule(jar, store.signature(entry.digest()), entry.admitted());
      if (ruling.isAccepted() || ruling.refusal() == Reason.TRUST_STORE_UNREADABLE) {
        canaries.goOn(tool, share, ruling.isAccepted() ? jar : null);
      } else {
        canaries.returnToOld(tool, share, ruling.why());
      }
    } catch (IOException | UncheckedIOException | Refused failed) {
      canaries.returnToOld(tool, share, String.valueOf(failed.getMessage()));
    }
  }

  /** The jar of an installed tool, if its bytes are still those that were let in. */
  private ToolJar stored(ToolStore.Entry entry) throws IOException {
    ToolJar jar = ToolJar.read(store.bytes(entry.digest()), jarBytesMax);
    if (!jar.digest().equals(entry.digest())) {
      throw new Refused(Code.INVALID_FIELD, "its bytes in the store were changed");
    }
    return jar;
  }

  // --- what changes by itself -----------------------------------------------------------------

  private static Map<String, Object> facts(ToolJar jar, Verdict verdict, String by) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("tool", verdict.plan().name());
    facts.put("version", verdict.plan().version());
    facts.put("digest", verdict.plan().digest());
    facts.put("replaces", verdict.plan().replaces());
    facts.put("needs", List.copyOf(new TreeSet<>(jar.manifest().needs())));
    facts.put("tier", verdict.tier());
    facts.put("trusted", said(verdict.signer()));
    facts.put("forced", verdict.refusal() != null);
    facts.put("by", by);
    return facts;
  }

  private static String said(@Nullable Signer signer) {
    return signer == null
        ? "allowed by operator"
        : "signed by " + signer.vendor() + ", key " + signer.key();
  }

  private Plan plan(ToolJar jar) {
    String name = jar.manifest().name();
    ToolStore.Entry before = store.tools().get(name);
    Set<String> needsBefore = Set.of();
    if (before != null) {
      try {
        needsBefore = ToolJar.read(store.bytes(before.digest()), jarBytesMax).manifest().needs();
      } catch (IOException unreadable) {
        log.warn("the bytes of {} {} are gone from the store", name, before.version());
      }
    }
    return new Plan(
        name,
        jar.manifest().version(),
        jar.digest(),
        allowed.allows(jar.digest()),
        before == null ? null : before.version(),
        without(jar.manifest().needs(), needsBefore),
        without(needsBefore, jar.manifest().needs()));
  }

  private static List<String> without(Set<String> all, Set<String> some) {
    Set<String> left = new TreeSet<>(all);
    left.removeAll(some);
    return List.copyOf(left);
  }

  private void takeDown(String name, String version, String by) {
    bundles.running(name).forEach(bundles::uninstall);
    store.remove(name);
    record("tool.removed", Map.of("tool", name, "version", version, "by", by));
  }

  /** The trust store or the allow-list has changed, or a revocation is due. */
  private void reconsider() {
    reviewInstalled();
    deploy.retry();
  }

  /** Every installed tool has to be trusted still; one that is trusted and does not run, starts. */
  private synchronized void reviewInstalled() {
    store.tools().forEach(this::review);
    store.canaries().forEach(this::reviewCanary);
    if (nextReview != null) {
      nextReview.cancel(false);
    }
    Instant due = admission.nextRevocation().orElse(null);
    if (due != null) {
      long millis = Duration.between(clock.instant(), due).plusMillis(1).toMillis();
      nextReview =
          later.schedule(
              this::reconsiderOrLog,
              Math.max(1, Math.min(millis, REVOCATION_LATE_MAX.toMillis())),
              TimeUnit.MILLISECONDS);
    }
  }

  private void reconsiderOrLog() {
    try {
      reconsider();
    } catch (RuntimeException failed) {
      log.error("installed tools could not be looked at", failed);
    }
  }

  private void review(String name, ToolStore.Entry entry) {
    String file = entry.file();
    if (file != null && !deploy.holds(file)) {
      takeDown(name, entry.version(), "deploy/" + file);
      return;
    }
    try {
      ToolJar jar = stored(entry);
      byte[] signature = store.signature(entry.digest());
      Ruling ruling = admission.rule(jar, signature, entry.admitted());
      if (!ruling.isAccepted()) {
        distrust(name, entry, ruling);
      } else if (bundles.running(name, entry.digest()) == null) {
        bundles.bringBack(jar);
      }
    } catch (IOException | UncheckedIOException | Refused failed) {
      log.error("tool not restored: tool={} why={}", name, failed.getMessage());
      if (file != null) {
        // Its file gets the chance that its bytes in the store did not take.
        deploy.lookAgain(file);
      }
    }
  }

  /** Takes out a tool that would not come in today. */
  private void distrust(String name, ToolStore.Entry entry, Ruling ruling) {
    Bundle bundle = bundles.running(name, entry.digest());
    boolean staysIfRunning =
        switch (ruling.refusal() == null ? Reason.UNSIGNED : ruling.refusal()) {
          // What it revokes is not known; what runs was trusted when it was last known.
          case TRUST_STORE_UNREADABLE -> true;
          // An allowance that is taken back keeps a tool from coming in again, no more.
          case UNSIGNED -> !signatureRequired;
          default -> false;
        };
    if (staysIfRunning || (bundle == null && ruling.refusal() == Reason.UNSIGNED)) {
      log.error(
          "tool {}: tool={} why={}",
          bundle == null ? "not restored" : "not trusted, and still running",
          name,
          ruling.why());
      return;
    }
    if (bundle != null) {
      bundles.uninstall(bundle);
    }
    log.error("tool taken out: tool={} version={} why={}", name, entry.version(), ruling.why());
    if (ruling.refusal() != Reason.UNSIGNED) {
      store.remove(name);
      if (entry.file() != null) {
        deploy.await(entry.file(), ruling.why());
      }
    }
    recordOrLog(
        "tool.distrusted",
        Map.of(
            "tool", name,
            "version", entry.version(),
            "digest", entry.digest(),
            "trusted", said(entry.signer()),
            "rule", ruling.refusal() == null ? "" : ruling.refusal().rule(),
            "why", ruling.why()));
  }

  /** What comes and goes with the files of deploy/. */
  private final class FromFiles implements DeployFolder.Intake {

    @Override
    public Plan install(byte[] jar, byte @Nullable [] signature, String file) {
      ToolJar read = ToolJar.read(jar, jarBytesMax);
      return ToolDeployment.this.install(read, signature, false, file, "deploy/" + file).plan();
    }

    @Override
    public void remove(String file) {
      synchronized (ToolDeployment.this) {
        store
            .tools()
            .forEach(
                (name, entry) -> {
                  if (file.equals(entry.file())) {
                    takeDown(name, entry.version(), "deploy/" + file);
                  }
                });
      }
    }

    @Override
    public void refused(String file, Problem why) {
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("file", file);
      facts.put("code", why.code().name());
      facts.put("rule", why.rule());
      facts.put("why", why.message());
      recordOrLog("tool.refused", facts);
    }
  }

  /** For what is so whether or not it is on record. */
  private void recordOrLog(String kind, Map<String, Object> facts) {
    try {
      record(kind, facts);
    } catch (Refused journalAway) {
      log.error("not on record: {} {}", kind, facts);
    }
  }

  private void record(String kind, Map<String, Object> facts) {
    journal.record(new Journal.Event("kernel.tools", kind, null, facts));
  }
}
