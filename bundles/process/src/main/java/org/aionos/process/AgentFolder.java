package org.aionos.process;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Journal;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.ProcessTable.Registration;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Retry;
import org.aionos.kernel.Role;
import org.aionos.manifest.AgentManifest;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Registers the agents that stand in files, {@code <tenant>/<agent>.yml}: at the start, and
 * whenever a file, or the signature beside it, has changed and then kept still for one look. Who
 * may write the folder is an operator, so nothing waits for approval, but trust may want a
 * signature: without trust no file is looked at. A file that goes away leaves its agent registered.
 */
@Component(
    service = {},
    immediate = true,
    configurationPid = "org.aionos.process",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class AgentFolder {

  private static final Logger log = LoggerFactory.getLogger(AgentFolder.class);
  private static final Duration LOOK = Duration.ofSeconds(1);
  private static final String SUFFIX = ".yml";
  private static final String SIGNATURE = ".sigstore.json";
  private static final long FILE_BYTES_MAX = 1 << 20;
  private static final Caller CONFIG = Caller.person("config", Role.OPERATOR, null);

  /** What one look at a file shows; two equal looks in a row mean that nobody is writing it. */
  private record Look(long size, FileTime modified, @Nullable FileTime signed) {}

  private final Path folder;
  private final ProcessTable processes;
  private final ManifestTrust trust;
  private final AgentEvents events;
  private final Map<Path, Look> done = new TreeMap<>();
  private Map<Path, Look> lastLook;
  private final ScheduledExecutorService looker =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-agent-folder");
            thread.setDaemon(true);
            return thread;
          });

  @Activate
  public AgentFolder(
      ProcessConfig config,
      BundleContext context,
      @Reference(name = "processes") ProcessTable processes,
      @Reference(name = "trust") ManifestTrust trust,
      @Reference(name = "journal") Journal journal) {
    this(
        config.agentsDir().isEmpty()
            ? Path.of(String.valueOf(context.getProperty("aion.config")), "agents")
            : Path.of(config.agentsDir()),
        processes,
        trust,
        journal);
    looker.scheduleWithFixedDelay(this::look, LOOK.toMillis(), LOOK.toMillis(), MILLISECONDS);
  }

  /** Registers what is there now, and looks again when told to. */
  AgentFolder(Path folder, ProcessTable processes, ManifestTrust trust, Journal journal) {
    this.folder = folder;
    this.processes = processes;
    this.trust = trust;
    this.events = new AgentEvents(journal);
    this.lastLook = files();
    look();
  }

  @Deactivate
  void close() {
    looker.shutdownNow();
  }

  /** One look; registers every file that is new or changed and has kept still since the last. */
  void look() {
    try {
      Map<Path, Look> now = files();
      done.keySet().retainAll(now.keySet());
      now.forEach(
          (file, look) -> {
            if (look.equals(lastLook.get(file))
                && !look.equals(done.get(file))
                && isSettled(file)) {
              done.put(file, look);
            }
          });
      lastLook = now;
    } catch (RuntimeException unexpected) {
      log.error("kernel fault: could not look at the agents' folder {}", folder, unexpected);
    }
  }

  /** Registers a file's agent or says why not; false if another attempt may end otherwise. */
  private boolean isSettled(Path file) {
    try {
      register(file);
      return true;
    } catch (InvalidDocument invalid) {
      return refuse(file, invalid.describe());
    } catch (Refused refused) {
      Problem problem = refused.problem();
      boolean later = problem.code().retry() == Retry.AFTER_DELAY;
      return !later && refuse(file, describe(problem));
    } catch (IOException unreadable) {
      return refuse(file, "cannot be read: " + unreadable.getMessage());
    }
  }

  private void register(Path file) throws IOException, InvalidDocument {
    AgentId id = agent(file);
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new InvalidDocument(
          InvalidDocument.Fault.INVALID, "", "is longer than " + FILE_BYTES_MAX + " bytes");
    }
    byte[] bytes = Files.readAllBytes(file);
    AgentManifest manifest = AgentManifest.read(Documents.yaml(bytes));
    trust.check(bytes, signature(file));
    processes.register(
        new Registration(
            id, manifest.name(), manifest.version(), null, Map.of(), manifest.values()),
        CONFIG);
  }

  private static byte @Nullable [] signature(Path file) throws IOException, InvalidDocument {
    Path signature = signatureFile(file);
    if (!Files.isRegularFile(signature)) {
      return null;
    }
    if (Files.size(signature) > FILE_BYTES_MAX) {
      throw new InvalidDocument(
          InvalidDocument.Fault.INVALID,
          "",
          "has a signature longer than " + FILE_BYTES_MAX + " bytes");
    }
    return Files.readAllBytes(signature);
  }

  private static Path signatureFile(Path file) {
    return file.resolveSibling(file.getFileName() + SIGNATURE);
  }

  private static AgentId agent(Path file) throws InvalidDocument {
    String name = file.getFileName().toString();
    try {
      return new AgentId(tenant(file), name.substring(0, name.length() - SUFFIX.length()));
    } catch (IllegalArgumentException notNames) {
      throw new InvalidDocument(
          InvalidDocument.Fault.INVALID, "", "folder and file name it: " + notNames.getMessage());
    }
  }

  private static String tenant(Path file) {
    return file.getName(file.getNameCount() - 2).toString();
  }

  private static String describe(Problem problem) {
    return problem.pointer() == null
        ? problem.message()
        : problem.pointer() + ": " + problem.message();
  }

  private boolean refuse(Path file, String why) {
    String tenant = AgentId.isName(tenant(file)) ? tenant(file) : null;
    try {
      events.fileRefused(tenant, folder.relativize(file).toString(), why);
    } catch (Refused notOnRecord) {
      return false;
    }
    log.error("agent file refused: file={} why={}", file, why);
    return true;
  }

  private Map<Path, Look> files() {
    Map<Path, Look> files = new TreeMap<>();
    for (Path tenant : entries(folder)) {
      for (Path file : entries(tenant)) {
        if (file.getFileName().toString().endsWith(SUFFIX)) {
          look(file, files);
        }
      }
    }
    return files;
  }

  private static void look(Path file, Map<Path, Look> into) {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      if (attributes.isRegularFile()) {
        Path signature = signatureFile(file);
        FileTime signed =
            Files.isRegularFile(signature) ? Files.getLastModifiedTime(signature) : null;
        into.put(file, new Look(attributes.size(), attributes.lastModifiedTime(), signed));
      }
    } catch (IOException gone) {
      // It went between being listed and being looked at: the next look knows.
      log.debug("agent file went away: file={}", file);
    }
  }

  /** What stands in a folder, hidden entries passed over; nothing if it is none. */
  private static List<Path> entries(Path folder) {
    List<Path> entries = new ArrayList<>();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
      for (Path entry : all) {
        if (!entry.getFileName().toString().startsWith(".")) {
          entries.add(entry);
        }
      }
    } catch (NoSuchFileException | NotDirectoryException none) {
      return entries;
    } catch (IOException | DirectoryIteratorException unreadable) {
      log.warn("agents' folder cannot be read: folder={} why={}", folder, unreadable.toString());
    }
    return entries;
  }
}
