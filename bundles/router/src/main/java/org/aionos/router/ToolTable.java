package org.aionos.router;

import static java.util.Comparator.comparing;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.ToolCatalog;
import org.aionos.manifest.ToolManifests;
import org.aionos.tool.Tool;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Constants;
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
 * highest, or the one they name; calls in flight finish on the one they began with.
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
      comparing(InstalledTool::version).thenComparing(InstalledTool::serviceId).reversed();

  private final Duration drainMax;
  private final Map<Long, InstalledTool> byService = new HashMap<>();

  /** Every name, and every name@version, to its tools, highest first; replaced as a whole. */
  private volatile Map<String, List<InstalledTool>> byName = Map.of();

  @Activate
  public ToolTable(RouterConfig config) {
    this(Duration.ofMillis(config.drainMillisMax()));
  }

  ToolTable(Duration drainMax) {
    this.drainMax = drainMax;
  }

  /** Holds the highest installed version of a tool, or the version named after an {@code @}. */
  Optional<ToolLease> lease(String name) {
    for (InstalledTool tool : byName.getOrDefault(name, List.of())) {
      if (tool.holders.enter()) {
        return Optional.of(new ToolLease(tool));
      }
    }
    return Optional.empty();
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

  @Reference(
      name = "tool",
      service = Tool.class,
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindTool(ServiceReference<Tool> reference, Tool tool) {
    try {
      ToolManifest manifest = ToolManifests.read(manifestOf(reference));
      checkSame("tool.name", reference.getProperty("tool.name"), manifest.name());
      checkSame("tool.version", reference.getProperty("tool.version"), manifest.version());
      install(new InstalledTool(manifest, serviceId(reference), tool));
    } catch (InvalidDocument | IOException | IllegalArgumentException refused) {
      String why =
          refused instanceof InvalidDocument invalid ? invalid.describe() : refused.getMessage();
      log.error("tool refused: bundle={} why={}", reference.getBundle(), why);
    }
  }

  // The framework waits for this method before it stops the tool's bundle: that wait is the drain.
  void unbindTool(ServiceReference<Tool> reference) {
    InstalledTool tool = uninstall(serviceId(reference));
    if (tool != null) {
      boolean drained = tool.holders.drain(drainMax);
      log.info(
          "tool removed: tool={} version={} drained={}",
          tool.manifest().name(),
          tool.manifest().version(),
          drained);
    }
  }

  synchronized void install(InstalledTool tool) {
    byService.put(tool.serviceId(), tool);
    index();
    log.info(
        "tool installed: tool={} version={} needs={}",
        tool.manifest().name(),
        tool.manifest().version(),
        tool.manifest().needs());
  }

  private synchronized @Nullable InstalledTool uninstall(long serviceId) {
    InstalledTool tool = byService.remove(serviceId);
    index();
    return tool;
  }

  private void index() {
    Map<String, List<InstalledTool>> index = new HashMap<>();
    byService.values().stream()
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
      throw new IllegalArgumentException(
          property + " is " + said + " in the code and " + manifest + " in tool.yml");
    }
  }

  private static byte[] manifestOf(ServiceReference<Tool> reference) throws IOException {
    URL entry = reference.getBundle().getEntry(ToolManifests.PATH);
    if (entry == null) {
      throw new IOException("the bundle has no " + ToolManifests.PATH);
    }
    try (InputStream in = entry.openStream()) {
      return in.readAllBytes();
    }
  }

  private static long serviceId(ServiceReference<Tool> reference) {
    return (Long) reference.getProperty(Constants.SERVICE_ID);
  }
}
