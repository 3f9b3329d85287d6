package org.aionos.scheduler;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.aionos.drivers.DriverInstaller;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.task.TaskDriver;
import org.aionos.kernel.task.TaskStore;
import org.aionos.tasks.rocks.RocksLibrary;
import org.aionos.tasks.rocks.RocksTasks;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the store that tasks are kept in, and offers it as a service while it is there. What needs
 * it comes with it, and goes before its driver does.
 */
@Component(
    service = {},
    immediate = true)
public final class TaskStores {

  private static final Logger log = LoggerFactory.getLogger(TaskStores.class);

  private static final long LOOK_MILLIS = 250;

  /** Of an installation that failed: an operator may have put right what it lacked. */
  private static final long AGAIN_MILLIS = 30_000;

  private static final int NAME_BYTES = 4;

  private final BundleContext context;
  private final SettingsFile settings;
  private final Path state;
  private final Map<String, String> environment;
  private final AutoCloseable listening;
  private final ScheduledExecutorService installing =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-task-driver");
            thread.setDaemon(true);
            return thread;
          });

  /** Guarded by this, as all that follows. */
  private final Map<String, TaskDriver> drivers = new LinkedHashMap<>();

  private @Nullable TaskDriver openedBy;
  private @Nullable OpenStore open;
  private @Nullable ServiceRegistration<OpenStore> offered;
  private boolean begun;
  private boolean closed;

  @Activate
  public TaskStores(BundleContext context, @Reference(name = "settings") SettingsFile settings) {
    this.context = context;
    this.settings = settings;
    this.state = Path.of(String.valueOf(context.getProperty("aion.state")), "scheduler");
    this.environment = System.getenv();
    this.listening = settings.listen(this::openSoon);
  }

  @Reference(
      name = "drivers",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  synchronized void addDriver(TaskDriver driver, Map<String, ?> properties) {
    drivers.put(String.valueOf(properties.get(StoreDriver.DRIVER)), driver);
    if (begun) {
      openSoon();
    }
  }

  /** What is open goes before this returns, while the driver still serves it. */
  synchronized void removeDriver(TaskDriver driver, Map<String, ?> properties) {
    drivers.remove(String.valueOf(properties.get(StoreDriver.DRIVER)), driver);
    if (driver == openedBy) {
      withdraw();
    }
  }

  @Reference(
      name = "installer",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  volatile @Nullable DriverInstaller installer;

  @Activate
  void begin() throws IOException {
    synchronized (this) {
      begun = true;
      open();
    }
    installing.execute(this::installOrLater);
  }

  /** Not on the thread that tells of a change: what comes with the store may take a while. */
  private void openSoon() {
    installing.execute(this::openOrLog);
  }

  private synchronized void openOrLog() {
    try {
      open();
    } catch (IOException | RuntimeException failed) {
      log.error("the store of tasks cannot be opened", failed);
    }
  }

  private void open() throws IOException {
    StoreSettings place = settings.store();
    if (place == null || open != null || closed) {
      return;
    }
    if (place.isEmbedded()) {
      String node = node();
      RocksLibrary.load(state.resolve("native"), node);
      offer(RocksTasks.open(state.resolve("tasks"), false, System::nanoTime), node, false);
      return;
    }
    TaskDriver driver = drivers.get(place.driver());
    if (driver != null) {
      openedBy = driver;
      Path folder = state.resolve("tasks-" + place.driver());
      offer(driver.open(place.opening(folder)), node(), true);
    }
  }

  private void offer(TaskStore store, String node, boolean shared) {
    OpenStore opened = new OpenStore(store, node, shared);
    open = opened;
    log.info("tasks are kept: driver={} node={}", settings.store(), node);
    offered = context.registerService(OpenStore.class, opened, null);
  }

  /** Host and process are for people to read; that no other has the name, chance sees to. */
  private static String node() {
    byte[] chance = new byte[NAME_BYTES];
    new SecureRandom().nextBytes(chance);
    return host()
        + "-"
        + ProcessHandle.current().pid()
        + "-"
        + HexFormat.of().formatHex(chance)
        + Long.toHexString(System.nanoTime() & 0xffff);
  }

  private static String host() {
    try {
      String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
      return name.replaceAll("[^A-Za-z0-9.-]", "");
    } catch (IOException notHere) {
      return "kernel";
    }
  }

  private void withdraw() {
    ServiceRegistration<OpenStore> registered = offered;
    OpenStore opened = open;
    offered = null;
    open = null;
    openedBy = null;
    if (registered != null) {
      registered.unregister();
    }
    if (opened != null) {
      opened.store().close();
    }
  }

  // --- drivers that are not there -------------------------------------------------------------

  /** The driver of the store; and that of the cluster, wherever tasks are kept. */
  private @Nullable String missing() {
    StoreSettings place = settings.store();
    if (place != null && !place.isEmbedded() && !isThere(place.driver())) {
      return place.driver();
    }
    return StoreSettings.isClustered(environment) && !isThere(StoreSettings.REDIS)
        ? StoreSettings.REDIS
        : null;
  }

  private synchronized boolean isThere(String driver) {
    return drivers.containsKey(driver);
  }

  private void installOrLater() {
    String driver = missing();
    DriverInstaller known = installer;
    long pause = LOOK_MILLIS;
    if (driver != null && known != null) {
      pause = AGAIN_MILLIS;
      try {
        known.install(driver);
        log.info("task driver installed: driver={}", driver);
      } catch (Exception failed) {
        log.error("the driver of tasks could not be installed: driver={}", driver, failed);
      }
    }
    if (!installing.isShutdown()) {
      installing.schedule(this::installOrLater, pause, MILLISECONDS);
    }
  }

  @Deactivate
  void close() throws Exception {
    listening.close();
    installing.shutdownNow();
    synchronized (this) {
      closed = true;
      withdraw();
    }
  }
}
