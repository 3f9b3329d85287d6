package org.aionos.trust;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolInstaller;
import org.aionos.kernel.ToolTier;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.startlevel.BundleStartLevel;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Installs, replaces and removes tool bundles: from {@code deploy/}, and by hand. Only bytes whose
 * digest is allowed get in, and exactly those bytes. A tool's new version is up before its old one
 * goes, so no call falls between.
 *
 * <p>Tool bundles are started for this run only: after a restart the framework does not start them
 * from its cache, we do, from bytes that were checked again.
 */
@Component(
    service = ToolInstaller.class,
    immediate = true,
    configurationPid = "org.aionos.trust",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = TrustConfig.class)
public final class ToolDeployment implements ToolInstaller {

  private static final Logger log = LoggerFactory.getLogger(ToolDeployment.class);

  private static final String ALLOW_LIST = "allowed-tools.txt";

  private final BundleContext context;
  private final Journal journal;
  private final ToolCatalog catalog;
  private final AllowList allowed;
  private final ToolStore store;
  private final Path deploy;
  private final long jarBytesMax;
  private final Duration startMax;
  private final FolderWatch deployWatch;
  private final FolderWatch allowWatch;

  /** Files that lay in deploy/ when we came; what we know of them already is not done again. */
  private final Set<String> foundAtStart = ConcurrentHashMap.newKeySet();

  /** Files that were refused for want of an allowance; looked at again when the list changes. */
  private final ConcurrentMap<Path, String> waiting = new ConcurrentHashMap<>();

  @Activate
  public ToolDeployment(
      TrustConfig config,
      BundleContext context,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "catalog") ToolCatalog catalog)
      throws IOException {
    this.context = context;
    this.journal = journal;
    this.deploy = Path.of(String.valueOf(context.getProperty("aion.deploy")));
    this.catalog = catalog;
    Path trusted = Path.of(String.valueOf(context.getProperty("aion.config")), "trust");
    this.allowed = new AllowList(trusted.resolve(ALLOW_LIST));
    this.store =
        new ToolStore(
            Files.createDirectories(
                Path.of(String.valueOf(context.getProperty("aion.state")), "trust")));
    this.jarBytesMax = config.jarBytesMax();
    this.startMax = Duration.ofMillis(config.startMillisMax());
    Files.createDirectories(deploy);
    this.deployWatch = new FolderWatch("aion-deploy", deploy, ".jar", this::fileChanged);
    this.allowWatch =
        new FolderWatch("aion-allow-list", trusted, ALLOW_LIST, file -> retryWaiting());
    start(Duration.ofMillis(config.watchMillis()));
  }

  private void start(Duration look) throws IOException {
    try (var files = Files.newDirectoryStream(deploy, "*.jar")) {
      files.forEach(file -> foundAtStart.add(file.getFileName().toString()));
    }
    restore();
    deployWatch.start(look);
    allowWatch.start(look);
  }

  /** Running tools keep running: another instance of this bundle will find them. */
  @Deactivate
  void close() {
    deployWatch.close();
    allowWatch.close();
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
    return install(ToolJar.read(jar, jarBytesMax), null, by);
  }

  @Override
  public synchronized void remove(String name, @Nullable String version, String by) {
    ToolStore.Entry entry = store.tools().get(name);
    if (entry == null || (version != null && !version.equals(entry.version()))) {
      throw new Refused(
          Code.UNKNOWN_TOOL,
          "no tool " + name + (version == null ? "" : "@" + version) + " is installed");
    }
    takeDown(name, entry.version(), by);
  }

  private synchronized Plan install(ToolJar jar, @Nullable String file, String by) {
    Plan plan = plan(jar);
    if (!plan.allowed()) {
      throw new Refused(
          Problem.of(
                  Code.ROLE_REQUIRED,
                  "the digest "
                      + jar.digest()
                      + " of "
                      + jar.manifest().nameAndVersion()
                      + " is not allowed")
              .admittedBy("aion:tool-allow " + jar.digest()));
    }
    Bundle before = running(jar.manifest().name());
    if (before == null || !before.getLocation().equals(jar.location())) {
      bringUp(jar, true);
      if (before != null) {
        uninstall(before);
      }
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("tool", plan.name());
      facts.put("version", plan.version());
      facts.put("digest", plan.digest());
      facts.put("replaces", plan.replaces());
      facts.put("needs", List.copyOf(new TreeSet<>(jar.manifest().needs())));
      facts.put("by", by);
      record("tool.installed", facts);
    }
    store.put(jar, file);
    return plan;
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

  /**
   * @param waits until the tool can be called; else it comes when its tier does
   */
  private void bringUp(ToolJar jar, boolean waits) {
    try {
      Bundle bundle = context.installBundle(jar.location(), new ByteArrayInputStream(jar.bytes()));
      try {
        // Else a bundle waits for the framework to reach its default level, which it does last.
        bundle.adapt(BundleStartLevel.class).setStartLevel(1);
        bundle.start(Bundle.START_TRANSIENT);
        if (waits) {
          awaitService(jar);
        }
      } catch (BundleException | RuntimeException failed) {
        bundle.uninstall();
        throw failed;
      }
    } catch (BundleException failed) {
      log.error("tool does not start: tool={}", jar.manifest().nameAndVersion(), failed);
      throw new Refused(
          Code.INVALID_FIELD,
          jar.manifest().nameAndVersion() + " does not start: " + failed.getMessage());
    }
  }

  /** A tool is up once the router has it in its table. */
  private void awaitService(ToolJar jar) {
    long end = System.nanoTime() + startMax.toNanos();
    while (!catalog.holds(jar.location())) {
      Problem why = catalog.refusal(jar.location()).orElse(null);
      if (why != null) {
        throw new Refused(why);
      }
      if (System.nanoTime() - end > 0) {
        throw new Refused(Code.INVALID_FIELD, whyNotUp(jar.manifest()));
      }
      java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
    }
  }

  private static String whyNotUp(ToolManifest manifest) {
    return manifest.tier().equals(ToolManifest.TRUSTED)
        ? manifest.nameAndVersion()
            + " started but offers no tool that the kernel takes; see the kernel's log"
        : "no bundle of this kernel serves the tier " + manifest.tier();
  }

  private void takeDown(String name, String version, String by) {
    Bundle bundle = running(name);
    if (bundle != null) {
      uninstall(bundle);
    }
    store.remove(name);
    record("tool.removed", Map.of("tool", name, "version", version, "by", by));
  }

  private static void uninstall(Bundle bundle) {
    try {
      bundle.uninstall();
    } catch (BundleException failed) {
      log.error("tool does not stop cleanly: bundle={}", bundle, failed);
    }
  }

  private @Nullable Bundle running(String tool) {
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getLocation().startsWith(ToolJar.LOCATION + tool + "/")) {
        return bundle;
      }
    }
    return null;
  }

  /** After a restart: everything of the former run goes, what is still allowed comes back. */
  private synchronized void restore() {
    for (Bundle bundle : context.getBundles()) {
      if (bundle.getLocation().startsWith(ToolJar.LOCATION) && bundle.getState() != Bundle.ACTIVE) {
        uninstall(bundle);
      }
    }
    store.tools().forEach(this::restore);
  }

  private void restore(String name, ToolStore.Entry entry) {
    String file = entry.file();
    if (file != null && !Files.exists(deploy.resolve(file))) {
      takeDown(name, entry.version(), "deploy/" + file);
      return;
    }
    if (running(name) != null) {
      return;
    }
    try {
      ToolJar jar = ToolJar.read(store.bytes(entry.digest()), jarBytesMax);
      if (!jar.digest().equals(entry.digest()) || !allowed.allows(jar.digest())) {
        log.error("tool not restored, its bytes are not allowed: tool={}", name);
        return;
      }
      bringUp(jar, hasTier(jar.manifest()));
    } catch (IOException | Refused failed) {
      log.error("tool not restored: tool={} why={}", name, failed.getMessage());
      if (file != null) {
        // Its file gets the chance that its bytes in the store did not take.
        foundAtStart.remove(file);
      }
    }
  }

  /** At a restart we may come before the bundle of a tier, and must not keep it waiting. */
  private boolean hasTier(ToolManifest manifest) {
    try {
      return manifest.tier().equals(ToolManifest.TRUSTED)
          || !context
              .getServiceReferences(
                  ToolTier.class, "(" + ToolTier.TIERS + "=" + manifest.tier() + ")")
              .isEmpty();
    } catch (InvalidSyntaxException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private void fileChanged(Path path) {
    String file = path.getFileName().toString();
    try {
      if (Files.exists(path)) {
        fileCame(path, file);
      } else {
        fileGone(path, file);
      }
    } catch (Refused refused) {
      String admit = refused.problem().admit();
      log.error(
          "tool refused: file={} why={}{}",
          path,
          refused.problem().message(),
          admit == null ? "" : "; do: " + admit);
      recordRefusal(file, refused);
    } catch (IOException | RuntimeException failed) {
      log.error("tool not installed: file={}", path, failed);
    }
  }

  private void fileCame(Path path, String file) throws IOException {
    if (Files.size(path) > jarBytesMax) {
      throw new Refused(Code.INVALID_FIELD, "it has more than " + jarBytesMax + " bytes");
    }
    byte[] bytes = Files.readAllBytes(path);
    String digest = ToolJar.digestOf(bytes);
    // Dropping a file again means it, but a file that a restart finds was dealt with before.
    if (foundAtStart.remove(file) && digest.equals(store.seen(file))) {
      return;
    }
    waiting.remove(path);
    if (!allowed.allows(digest)) {
      waiting.put(path, digest);
    }
    Plan plan = install(ToolJar.read(bytes, jarBytesMax), file, "deploy/" + file);
    store.saw(file, digest);
    log.info(
        "tool deployed: tool={} version={} replaces={}",
        plan.name(),
        plan.version(),
        plan.replaces());
  }

  private void fileGone(Path path, String file) {
    waiting.remove(path);
    store.saw(file, null);
    store
        .tools()
        .forEach(
            (name, entry) -> {
              if (file.equals(entry.file())) {
                synchronized (this) {
                  takeDown(name, entry.version(), "deploy/" + file);
                }
              }
            });
  }

  private void retryWaiting() {
    for (Path path : new ArrayList<>(waiting.keySet())) {
      if (allowed.allows(String.valueOf(waiting.get(path)))) {
        fileChanged(path);
      }
    }
  }

  private void recordRefusal(String file, Refused refused) {
    try {
      record(
          "tool.refused",
          Map.of(
              "file", file,
              "code", refused.problem().code().name(),
              "why", refused.problem().message()));
    } catch (Refused journalAway) {
      log.error("the refusal of {} could not be recorded", file);
    }
  }

  private void record(String kind, Map<String, Object> facts) {
    journal.record(new Journal.Event("kernel.tools", kind, null, facts));
  }
}
