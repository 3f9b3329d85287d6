package org.aionos.memory;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.aionos.document.InvalidDocument;
import org.aionos.drivers.DriverInstaller;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Embedder;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.ObjectDriver;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.TaskTrust;
import org.aionos.kernel.memory.Trust;
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
 * The three types of memory, each in the store that {@code config/memory.yaml} names, and the
 * thread that looks after them. A changed file is taken whole or not at all; a type whose server
 * stays the same keeps its store.
 */
@Component(service = {Memory.class, TaskTrust.class})
public final class Memory implements TaskTrust {

  static final String FILE_NAME = "memory.yaml";
  static final String EPISODIC = "episodic";

  private static final Logger log = LoggerFactory.getLogger(Memory.class);

  private static final Duration LOOK = Duration.ofMillis(500);
  private static final long TEND_MILLIS = 500;
  private static final Duration DRIVER_WAIT = Duration.ofSeconds(5);
  private static final long DRIVER_LOOK_MILLIS = 50;
  private static final Duration SEGMENT_LOOK = Duration.ofSeconds(1);

  /** A bucket takes away what no item can need any more. */
  private static final Duration OBJECTS_EXPIRE_AFTER =
      Duration.ofSeconds(MemorySettings.TTL_SECONDS_MAX).plusDays(1);

  /** Opens what is kept on this host, in a folder; of episodes also what goes on to a bucket. */
  interface Embedded {
    ItemStore open(
        String type, MemorySettings settings, Path folder, @Nullable ObjectStore objects);
  }

  private final Path config;
  private final Path state;
  private final Embedded embedded;
  private final Map<String, String> environment;
  private final InstantSource clock;
  private final Map<String, Kind> kinds = new LinkedHashMap<>();
  private final Uses uses = new Uses();
  private final Taints taints;
  private final Collector collector;
  private final Map<String, Embeddings> embeddings = new LinkedHashMap<>();
  private final ConcurrentMap<String, StoreDriver> drivers = new ConcurrentHashMap<>();
  private final ConcurrentMap<String, ObjectDriver> objectDrivers = new ConcurrentHashMap<>();
  private final FolderWatch watch;
  private final ScheduledExecutorService tending =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-memory-tend");
            thread.setDaemon(true);
            return thread;
          });

  /** Types that a valid file has spoken of; guarded by this. */
  private final Set<String> configured = new HashSet<>();

  /** Drivers that the configuration names and nobody offers. */
  private final Set<String> wanted = ConcurrentHashMap.newKeySet();

  private volatile MemorySettings settings;

  @Reference(
      name = "tuning",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Tuning tuning;

  private volatile String rejected = "";

  @Activate
  public Memory(
      BundleContext context,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters)
      throws IOException {
    this(
        Path.of(String.valueOf(context.getProperty("aion.config"))),
        Path.of(String.valueOf(context.getProperty("aion.state")), "memory"),
        ProcessHandle.current().pid() + "-" + Long.toHexString(System.nanoTime()),
        System.getenv(),
        journal,
        meters,
        InstantSource.system());
    watch.settle();
    watch.start(LOOK);
    tending.scheduleWithFixedDelay(
        this::tendOrLog, TEND_MILLIS, TEND_MILLIS, TimeUnit.MILLISECONDS);
  }

  Memory(
      Path config,
      Path state,
      String life,
      Map<String, String> environment,
      Journal journal,
      Meters meters,
      InstantSource clock)
      throws IOException {
    this.config = config.resolve(FILE_NAME);
    this.state = state;
    this.embedded = embedded(state, life);
    this.environment = environment;
    this.clock = clock;
    this.taints = new Taints(state.resolve("tasks.jsonl"));
    for (String type : List.of("short", "long", EPISODIC)) {
      kinds.put(type, new Kind(type, type.equals("long")));
      if (type.equals("long")) {
        embeddings.put(type, new Embeddings());
      }
    }
    this.settings = standard();
    this.collector = new Collector(() -> settings, this::bytesMax, uses, journal, meters, clock);
    this.watch = new FolderWatch("aion-memory-watch", config, FILE_NAME, changed -> reload());
    reload();
  }

  /** Native code is loaded when a store is first opened. */
  private static Embedded embedded(Path state, String life) {
    return (type, settings, folder, objects) -> {
      try {
        NativeLibrary.load(state.resolve("native"), life);
      } catch (IOException unloadable) {
        throw new IllegalStateException("RocksDB cannot be loaded", unloadable);
      }
      return switch (type) {
        case "long" -> FoundItems.open(folder.resolve(type), settings.sync());
        case EPISODIC -> episodic(folder, settings.sync(), objects);
        default -> RocksItems.open(folder.resolve(type), settings.sync());
      };
    };
  }

  private static ItemStore episodic(Path folder, boolean sync, @Nullable ObjectStore objects) {
    return EpisodicItems.open(
        folder,
        folder.resolve("episodic-index"),
        sync,
        objects,
        EpisodicItems.Limits.USUAL,
        SEGMENT_LOOK,
        InstantSource.system());
  }

  private static MemorySettings standard() {
    try {
      return MemorySettings.read("{}".getBytes(StandardCharsets.UTF_8), Map.of());
    } catch (InvalidDocument | IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Reference(
      name = "drivers",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void addDriver(StoreDriver driver, Map<String, ?> properties) {
    String name = String.valueOf(properties.get(StoreDriver.DRIVER));
    drivers.put(name, driver);
    keepAgain(name);
  }

  void removeDriver(StoreDriver driver, Map<String, ?> properties) {
    String name = String.valueOf(properties.get(StoreDriver.DRIVER));
    if (drivers.remove(name, driver)) {
      keepAgain(name);
    }
  }

  @Reference(
      name = "objectDrivers",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void addObjectDriver(ObjectDriver driver, Map<String, ?> properties) {
    String name = String.valueOf(properties.get(StoreDriver.DRIVER));
    objectDrivers.put(name, driver);
    keepAgain(name);
  }

  void removeObjectDriver(ObjectDriver driver, Map<String, ?> properties) {
    String name = String.valueOf(properties.get(StoreDriver.DRIVER));
    if (objectDrivers.remove(name, driver)) {
      keepAgain(name);
    }
  }

  /** Where there is no Karaf, drivers are installed by hand. */
  @Reference(
      name = "installer",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  volatile @Nullable DriverInstaller installer;

  @Reference(
      name = "embedder",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  void setEmbedder(Embedder embedder) {
    embeddings.values().forEach(each -> each.use(embedder));
  }

  void unsetEmbedder(Embedder embedder) {
    embeddings.values().forEach(each -> each.drop(embedder));
  }

  @Deactivate
  void close() {
    watch.close();
    tending.shutdownNow();
    try {
      // A store must not be closed under it.
      if (!tending.awaitTermination(10, TimeUnit.SECONDS)) {
        log.warn("looking after memory does not end");
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    kinds.values().forEach(kind -> kind.closeBecause("memory is closed"));
  }

  // --- settings -------------------------------------------------------------------------------

  MemorySettings settings() {
    return settings;
  }

  /** The room of a tenant, for items of each type: the policy may give less than the file. */
  long bytesMax(String tenant) {
    long bytesMax = settings.bytesMax(tenant);
    Tuning policy = tuning;
    Long said = policy == null ? null : policy.memory(tenant).tenantBytesMax();
    return said == null ? bytesMax : Math.min(said, bytesMax);
  }

  Uses uses() {
    return uses;
  }

  /** Null for a type that there is not. */
  @Nullable Kind kind(String type) {
    return kinds.get(type);
  }

  /** Null for a type that is not found by what it says. */
  @Nullable Embeddings embeddings(Kind kind) {
    return embeddings.get(kind.name);
  }

  final synchronized void reload() {
    try {
      MemorySettings read = MemorySettings.read(bytes(), environment);
      MemorySettings before = settings;
      settings = read;
      rejected = "";
      for (Kind kind : kinds.values()) {
        MemorySettings.Backend backend = read.backend(kind.name);
        if (!configured.contains(kind.name) || !backend.isSamePlace(before.backend(kind.name))) {
          keep(kind, backend);
        }
      }
      log.info("memory settings activated: backends={}", read.backends());
    } catch (InvalidDocument invalid) {
      reject(invalid.describe());
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    }
  }

  /** Without a file all is as the defaults say. */
  private byte[] bytes() throws IOException {
    try {
      return Files.readAllBytes(config);
    } catch (NoSuchFileException none) {
      return "{}".getBytes(StandardCharsets.UTF_8);
    }
  }

  private void reject(String why) {
    rejected = why;
    log.error("memory settings refused: file={} why={}", config, why);
    for (Kind kind : kinds.values()) {
      if (!configured.contains(kind.name)) {
        kind.closeBecause("config/" + FILE_NAME + " is not valid: " + why);
      }
    }
  }

  private synchronized void keepAgain(String driver) {
    for (Kind kind : kinds.values()) {
      if (rejected.isEmpty() && settings.backend(kind.name).driver().equals(driver)) {
        keep(kind, settings.backend(kind.name));
      }
    }
  }

  private void keep(Kind kind, MemorySettings.Backend backend) {
    configured.add(kind.name);
    if (!backend.isEmbedded()
        && !drivers.containsKey(backend.driver())
        && !isObjects(kind.name, backend)) {
      kind.closeBecause(notInstalled(backend.driver()));
      wanted.add(backend.driver());
      return;
    }
    kind.keepIn(opening(kind.name, backend));
  }

  private static String notInstalled(String driver) {
    return "the driver " + driver + " is not installed: feature:install aion-backend-" + driver;
  }

  private Supplier<ItemStore> opening(String type, MemorySettings.Backend backend) {
    if (backend.isEmbedded()) {
      return () -> embedded.open(type, settings, state, null);
    }
    StoreDriver.Opening place =
        new StoreDriver.Opening(
            type,
            backend.url(),
            backend.name(),
            backend.user(),
            backend.secret(),
            backend.caFile(),
            backend.timeoutMax(),
            state.resolve(backend.driver() + "-" + type));
    ObjectDriver objects = objectDrivers.get(backend.driver());
    if (objects != null && isObjects(type, backend)) {
      // Not guarded: it stands on this host, and waits for its server by itself.
      return () ->
          embedded.open(type, settings, place.folder(), objects.open(place, OBJECTS_EXPIRE_AFTER));
    }
    StoreDriver driver = drivers.get(backend.driver());
    if (driver == null) {
      throw new IllegalArgumentException(notInstalled(backend.driver()));
    }
    return () -> new Guarded(driver.open(place), clock);
  }

  private boolean isObjects(String type, MemorySettings.Backend backend) {
    return type.equals(EPISODIC) && objectDrivers.containsKey(backend.driver());
  }

  // --- looking after it -----------------------------------------------------------------------

  private void tendOrLog() {
    installWanted();
    for (Kind kind : kinds.values()) {
      try {
        tend(kind);
      } catch (Refused away) {
        // Said in the log and by readiness already; looked at again in a moment.
      } catch (RuntimeException failed) {
        log.error("memory could not be looked after: type={}", kind.name, failed);
      }
    }
  }

  /** Once for each time that the configuration asks: what failed is said, not tried for ever. */
  private void installWanted() {
    DriverInstaller known = installer;
    for (String driver : Set.copyOf(wanted)) {
      if (known == null) {
        return;
      }
      wanted.remove(driver);
      install(driver);
    }
  }

  private void install(String driver) {
    DriverInstaller known = installer;
    if (known == null || isInstalled(driver)) {
      return;
    }
    try {
      known.install(driver);
      log.info("memory driver installed: driver={}", driver);
    } catch (Exception failed) {
      log.error("the driver of memory could not be installed: driver={}", driver, failed);
    }
  }

  private boolean isInstalled(String driver) {
    return drivers.containsKey(driver) || objectDrivers.containsKey(driver);
  }

  /** A bundle's services come a moment after it has started. */
  private synchronized void awaitDriver(String driver) {
    long until = System.nanoTime() + DRIVER_WAIT.toNanos();
    try {
      while (!isInstalled(driver) && System.nanoTime() < until) {
        wait(DRIVER_LOOK_MILLIS);
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }

  void tend(Kind kind) {
    if (kind.isOpen()) {
      collector.look(kind);
      Embeddings own = embeddings.get(kind.name);
      if (own != null) {
        own.complete(kind);
      }
    }
  }

  // --- trust of tasks -------------------------------------------------------------------------

  @Override
  public Trust of(AgentId agent, @Nullable String task) {
    return taints.of(agent, task);
  }

  @Override
  public void read(AgentId agent, @Nullable String task, Trust trust) {
    taints.read(agent, task, trust);
  }

  // --- for operators --------------------------------------------------------------------------

  Collection<Kind> kinds() {
    return kinds.values();
  }

  Collector collector() {
    return collector;
  }

  /** Why the file that is there now is not in force; empty if it is. */
  String rejected() {
    return rejected;
  }

  /** Does this in a while, on the thread that looks after memory. */
  void later(Runnable work, Duration delay) {
    tending.schedule(work, delay.toMillis(), TimeUnit.MILLISECONDS);
  }

  /**
   * How a type is opened in another driver's store, which is installed if it is not.
   *
   * @throws Refused {@code INVALID_FIELD} if there is no such driver, or its address is missing
   */
  Supplier<ItemStore> openingOf(String type, String driver) {
    if (!driver.equals(MemorySettings.EMBEDDED)) {
      install(driver);
      awaitDriver(driver);
    }
    try {
      return opening(type, settings.backend(type).keptBy(driver));
    } catch (IllegalArgumentException unusable) {
      throw new Refused(Problem.of(Code.INVALID_FIELD, String.valueOf(unusable.getMessage())));
    }
  }
}
