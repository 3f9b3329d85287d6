package org.aionos.router;

import static java.util.Comparator.comparing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog;
import org.aionos.tool.Tool;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tools installed right now. Several versions of one tool may be present: new calls take the
 * highest, or the one they name, or take turns while one is on trial; calls in flight finish on the
 * one they began with.
 */
@Component(
    service = {ToolTable.class, ToolCatalog.class},
    configurationPid = "org.aionos.router",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ToolTable implements ToolCatalog {

  private static final Logger log = LoggerFactory.getLogger(ToolTable.class);

  /**
   * The newest wins: by version, then, while a jar is replaced by another of its version, by age.
   */
  private static final Comparator<InstalledTool> HIGHEST_FIRST =
      comparing(InstalledTool::version).thenComparing(InstalledTool::age).reversed();

  private final Duration drainMax;
  private final VersionTrial.Rules trialRules;

  /** By tool. */
  private final Map<String, VersionTrial> trials = new ConcurrentHashMap<>();

  /** By bundle location: a bundle holds one tool. */
  private final Map<String, InstalledTool> byOrigin = new HashMap<>();

  private final Map<String, Problem> refusals = new ConcurrentHashMap<>();
  private final AtomicLong ages = new AtomicLong();

  /** Every name, and every name@version, to its tools, highest first; replaced as a whole. */
  private volatile Map<String, List<InstalledTool>> byName = Map.of();

  @Activate
  public ToolTable(RouterConfig config) {
    this(
        Duration.ofMillis(config.drainMillisMax()),
        new VersionTrial.Rules(
            config.canaryCallsMin(),
            config.canaryFailuresInARowMax(),
            config.canaryFailedMorePercentMax() / 100.0,
            config.canarySlowerPercentMax() / 100.0 + 1));
  }

  ToolTable(Duration drainMax, VersionTrial.Rules trialRules) {
    this.drainMax = drainMax;
    this.trialRules = trialRules;
  }

  /** Holds the highest installed version of a tool, or the version named after an {@code @}. */
  Optional<ToolLease> lease(String name) {
    while (true) {
      Map<String, List<InstalledTool>> index = byName;
      VersionTrial trial = trials.get(name);
      List<InstalledTool> versions = index.getOrDefault(name, List.of());
      for (InstalledTool tool : trial == null ? versions : trial.ordered(versions)) {
        if (tool.holders.enter()) {
          return Optional.of(new ToolLease(tool, trial));
        }
      }
      // What has gone meanwhile has left the index first; and what took its place is in it.
      if (index == byName) {
        return Optional.empty();
      }
    }
  }

  @Override
  public Trial trial(String tool, String version, int percent, Consumer<String> deviated) {
    VersionTrial trial =
        new VersionTrial(
            version, percent, trialRules, deviated, ended -> trials.remove(tool, ended));
    trials.put(tool, trial);
    return trial;
  }

  @Override
  public List<Installed> tools() {
    List<Installed> tools = new ArrayList<>();
    new TreeMap<>(byName)
        .forEach(
            (name, versions) -> {
              if (!name.contains("@")) {
                versions.forEach(
                    tool -> tools.add(new Installed(tool.manifest(), tool.holders.count())));
              }
            });
    return tools;
  }

  @Override
  public synchronized boolean holds(String origin) {
    return byOrigin.containsKey(origin);
  }

  @Override
  public Optional<Problem> refusal(String origin) {
    return Optional.ofNullable(refusals.get(origin));
  }

  @Reference(
      name = "tool",
      service = Tool.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindTool(ServiceReference<Tool> reference, Tool tool) {
    String origin = reference.getBundle().getLocation();
    try {
      ToolManifest manifest = new BundlePackage(reference.getBundle()).manifest();
      if (!manifest.tier().equals(ToolManifest.TRUSTED)) {
        throw new Refused(
            Code.INVALID_FIELD, "its tool.yml says " + manifest.tier() + ", so no code of it runs");
      }
      checkSame("tool.name", reference.getProperty("tool.name"), manifest.name());
      checkSame("tool.version", reference.getProperty("tool.version"), manifest.version());
      install(manifest, origin, InstalledTool.trusted(tool));
    } catch (Refused refused) {
      refuse(origin, refused.problem());
    }
  }

  // The framework waits for this method before it stops the tool's bundle: that wait is the drain.
  void unbindTool(ServiceReference<Tool> reference) {
    uninstall(reference.getBundle().getLocation());
  }

  /** Puts a tool into service, in the place of another from the same bundle. */
  synchronized void install(ToolManifest manifest, String origin, InstalledTool.Entry entry) {
    refusals.remove(origin);
    byOrigin.put(origin, new InstalledTool(manifest, origin, ages.incrementAndGet(), entry));
    index();
    log.info(
        "tool installed: tool={} version={} tier={} needs={}",
        manifest.name(),
        manifest.version(),
        manifest.tier(),
        manifest.needs());
  }

  /** Notes why the tool of a bundle is not in service. */
  void refuse(String origin, Problem why) {
    refusals.put(origin, why);
    log.error("tool refused: bundle={} why={}", origin, why.message());
  }

  /** Takes a tool out of service, and waits for its calls in flight. */
  void uninstall(String origin) {
    refusals.remove(origin);
    InstalledTool tool = takeOut(origin);
    if (tool != null) {
      boolean drained = tool.holders.drain(drainMax);
      log.info(
          "tool removed: tool={} version={} drained={}",
          tool.manifest().name(),
          tool.manifest().version(),
          drained);
    }
  }

  private synchronized @Nullable InstalledTool takeOut(String origin) {
    InstalledTool tool = byOrigin.remove(origin);
    index();
    return tool;
  }

  private void index() {
    Map<String, List<InstalledTool>> index = new HashMap<>();
    byOrigin.values().stream()
        .sorted(HIGHEST_FIRST)
        .forEach(
            tool -> {
              ToolManifest manifest = tool.manifest();
              index.computeIfAbsent(manifest.name(), absent -> new ArrayList<>()).add(tool);
              index
                  .computeIfAbsent(manifest.nameAndVersion(), absent -> new ArrayList<>())
                  .add(tool);
            });
    byName = Map.copyOf(index);
  }

  private static void checkSame(String property, @Nullable Object said, String manifest) {
    if (!manifest.equals(said)) {
      throw new Refused(
          Code.INVALID_FIELD,
          property + " is " + said + " in the code and " + manifest + " in tool.yml");
    }
  }
}
