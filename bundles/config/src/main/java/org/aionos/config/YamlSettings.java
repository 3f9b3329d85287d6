package org.aionos.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.FolderWatch;
import org.aionos.files.WholeFile;
import org.aionos.kernel.Settings;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleListener;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.MetaTypeService;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the typed configuration equal to {@code kernel.yaml} and the environment. A section {@code
 * x} configures the bundle {@code org.aionos.x}. A file is taken whole or not at all: one that is
 * invalid changes nothing, the last good one stays in force, across restarts too, and {@link
 * #status} says why.
 */
@Component(service = Settings.class, immediate = true)
public final class YamlSettings implements Settings {

  private static final Logger log = LoggerFactory.getLogger(YamlSettings.class);

  private static final String KERNEL = "org.aionos.";
  private static final String TOOLS = KERNEL + "tool.";
  private static final String FILE_NAME = "kernel.yaml";
  private static final Duration LOOK = Duration.ofMillis(500);

  private final Path file;
  private final Path lastGood;
  private final BundleContext context;
  private final ConfigurationAdmin admin;
  private final MetaTypeService metatypes;
  private final Environment environment;
  private final BundleListener bundleListener = this::bundleChanged;
  private final FolderWatch fileWatch;
  private volatile Status status = new Status(Map.of(), Map.of(), "no file was read yet");

  @Activate
  public YamlSettings(
      BundleContext context,
      @Reference(name = "admin") ConfigurationAdmin admin,
      @Reference(name = "metatypes") MetaTypeService metatypes) {
    Path folder = Path.of(String.valueOf(context.getProperty("aion.config")));
    this.file = folder.resolve(FILE_NAME);
    this.lastGood =
        Path.of(String.valueOf(context.getProperty("aion.state")), "config", "last-good.yaml");
    this.context = context;
    this.admin = admin;
    this.metatypes = metatypes;
    this.environment = new Environment(System.getenv());
    this.fileWatch = new FolderWatch("aion-config-watch", folder, FILE_NAME, changed -> reload());
    start();
  }

  private void start() {
    fileWatch.settle();
    reload();
    context.addBundleListener(bundleListener);
    fileWatch.start(LOOK);
  }

  @Deactivate
  void close() {
    fileWatch.close();
    context.removeBundleListener(bundleListener);
  }

  @Override
  public Status status() {
    return status;
  }

  // A bundle that comes later brings its own section with it.
  private void bundleChanged(BundleEvent event) {
    if (event.getType() == BundleEvent.RESOLVED
        && String.valueOf(event.getBundle().getSymbolicName()).startsWith(KERNEL)) {
      reload();
    }
  }

  private synchronized void reload() {
    try {
      byte[] bytes = Files.readAllBytes(file);
      apply(bytes);
      WholeFile.write(lastGood, bytes);
    } catch (InvalidDocument invalid) {
      reject(invalid.describe());
    } catch (NoSuchFileException missing) {
      reject(file + " does not exist");
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    }
  }

  private void reject(String why) {
    log.error("configuration refused: file={} why={}", file, why);
    if (status.sections().isEmpty()) {
      try {
        apply(Files.readAllBytes(lastGood));
        log.warn("configuration restored: from={}", lastGood);
      } catch (IOException | InvalidDocument none) {
        log.error("the kernel has no usable configuration and stays closed: why={}", why);
      }
    }
    status = new Status(status.sections(), status.overrides(), why);
  }

  private void apply(byte[] bytes) throws InvalidDocument, IOException {
    Fields root = Documents.yaml(bytes);
    Map<Section, Map<String, Object>> checked = new LinkedHashMap<>();
    Map<String, Map<String, Object>> shown = new TreeMap<>();
    Map<String, String> overrides = new TreeMap<>();
    List<String> known = new ArrayList<>(List.of("apiVersion", "kind"));
    for (Section section : sections()) {
      known.add(section.name());
      Map<String, Environment.Decided> decided = environment.of(section.name(), section.keys());
      decided.forEach((key, by) -> overrides.put(section.name() + "." + key, by.variable()));
      Map<String, Object> values = section.read(root.objectOrEmpty(section.name()), decided);
      checked.put(section, values);
      shown.put(section.name(), section.inForce(values));
    }
    warnOfUnknown(root, known);
    LoopbackRule.check(root, shown);
    for (Map.Entry<Section, Map<String, Object>> each : checked.entrySet()) {
      update(each.getKey().pid(), each.getValue());
    }
    status = new Status(shown, overrides, "");
  }

  /** A section without a bundle may belong to one that is installed later, so it is no fault. */
  private static void warnOfUnknown(Fields root, List<String> known) {
    for (String name : root.names()) {
      if (!known.contains(name)) {
        log.warn("configuration section without a bundle: section={}", name);
      }
    }
  }

  private List<Section> sections() {
    List<Section> sections = new ArrayList<>();
    for (Bundle bundle : context.getBundles()) {
      String symbolicName = String.valueOf(bundle.getSymbolicName());
      if (!symbolicName.startsWith(KERNEL) || symbolicName.startsWith(TOOLS)) {
        continue;
      }
      var declared = metatypes.getMetaTypeInformation(bundle);
      if (declared == null) {
        continue;
      }
      for (String pid : declared.getPids()) {
        if (sections.stream().noneMatch(known -> known.pid().equals(pid))) {
          sections.add(
              new Section(
                  pid.substring(KERNEL.length()),
                  pid,
                  declared.getObjectClassDefinition(pid, null)));
        }
      }
    }
    return sections;
  }

  private void update(String pid, Map<String, Object> values) throws IOException {
    Dictionary<String, Object> properties = new Hashtable<>();
    values.forEach(properties::put);
    admin.getConfiguration(pid, "?").updateIfDifferent(properties);
  }
}
