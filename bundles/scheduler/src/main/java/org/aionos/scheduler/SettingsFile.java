package org.aionos.scheduler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.aionos.document.InvalidDocument;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.policy.Tuning;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code config/scheduler.yaml}, as it is in force, and as the policy tunes it. A changed file is
 * taken whole or not at all; without a file all is as the defaults say. Where tasks are kept is
 * read once: a file that says something else about it is not taken before this bundle is restarted.
 */
@Component(service = SettingsFile.class)
public final class SettingsFile {

  private static final Logger log = LoggerFactory.getLogger(SettingsFile.class);
  private static final String NAME = "scheduler.yaml";
  private static final Duration LOOK = Duration.ofMillis(500);
  private static final int VERSION_BYTES = 4;
  private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.UTF_8);

  private final Path file;
  private final FolderWatch watch;
  private final Map<String, String> environment;
  private final List<Runnable> listeners = new CopyOnWriteArrayList<>();
  private volatile SchedulerSettings settings;

  /** As the file says. Guarded by this, as the two that follow. */
  private SchedulerSettings read;

  private @Nullable Tuning tuning;
  private @Nullable AutoCloseable heard;

  private volatile @Nullable StoreSettings store;
  private volatile String version = "";
  private volatile String rejected = "";

  @Activate
  public SettingsFile(BundleContext context) {
    this(Path.of(String.valueOf(context.getProperty("aion.config"))), System.getenv());
    watch.settle();
    watch.start(LOOK);
  }

  SettingsFile(Path folder) {
    this(folder, Map.of());
  }

  SettingsFile(Path folder, Map<String, String> environment) {
    this.environment = environment;
    this.file = folder.resolve(NAME);
    this.watch = new FolderWatch("aion-scheduler-watch", folder, NAME, changed -> reload());
    this.read = standard();
    this.settings = read;
    reload();
  }

  private static SchedulerSettings standard() {
    try {
      return SchedulerSettings.read(NOTHING);
    } catch (InvalidDocument impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Deactivate
  void close() {
    watch.close();
  }

  @Reference(
      name = "tuning",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  void setTuning(Tuning came) throws Exception {
    synchronized (this) {
      listenTo(came);
    }
    retune();
  }

  /** While the policy is replaced, what it said holds, for a file that is read meanwhile too. */
  synchronized void unsetTuning(Tuning gone) throws Exception {
    if (tuning == gone) {
      listenTo(null);
    }
  }

  private void listenTo(@Nullable Tuning next) throws Exception {
    AutoCloseable before = heard;
    heard = next == null ? null : next.listen(this::retune);
    tuning = next == null ? tuning : next;
    if (before != null) {
      before.close();
    }
  }

  private void retune() {
    synchronized (this) {
      settings = read.tunedBy(tuning);
    }
    listeners.forEach(Runnable::run);
  }

  SchedulerSettings now() {
    return settings;
  }

  /** As the file says, whatever the policy does. */
  synchronized SchedulerSettings configured() {
    return read;
  }

  /**
   * Where tasks are kept, from the first valid file on; null until then. To guess it would be to
   * begin with another store than the operator meant.
   */
  @Nullable StoreSettings store() {
    return store;
  }

  /** Names the file in force, by its content; empty for none. */
  String version() {
    return version;
  }

  /** Why the file that is there now is not in force; empty if it is. */
  String rejected() {
    return rejected;
  }

  /** Tells of every change, on the watch's thread, until closed. */
  AutoCloseable listen(Runnable listener) {
    listeners.add(listener);
    return () -> listeners.remove(listener);
  }

  final void reload() {
    try {
      byte[] yaml = bytes();
      SchedulerSettings found = SchedulerSettings.read(yaml.length == 0 ? NOTHING : yaml);
      StoreSettings place = StoreSettings.read(yaml.length == 0 ? NOTHING : yaml, environment);
      StoreSettings known = store;
      if (known != null && !known.equals(place)) {
        reject("/store was changed; it is read when the bundle org.aionos.scheduler starts");
        return;
      }
      synchronized (this) {
        read = found;
        settings = found.tunedBy(tuning);
      }
      store = place;
      activated(yaml.length == 0 ? "" : digest(yaml));
    } catch (InvalidDocument invalid) {
      reject(invalid.describe());
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    }
  }

  /** Empty for no file. */
  private byte[] bytes() throws IOException {
    try {
      return Files.readAllBytes(file);
    } catch (NoSuchFileException none) {
      return new byte[0];
    }
  }

  private static String digest(byte[] yaml) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(yaml);
      return HexFormat.of().formatHex(digest, 0, VERSION_BYTES);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private void activated(String digest) {
    version = digest;
    rejected = "";
    log.info(
        "scheduler settings activated: slots={} weights={}", settings.slots(), settings.weights());
    listeners.forEach(Runnable::run);
  }

  private void reject(String why) {
    rejected = why;
    log.error("scheduler settings refused: file={} why={}", file, why);
  }
}
