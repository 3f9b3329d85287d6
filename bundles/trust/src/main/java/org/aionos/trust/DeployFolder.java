package org.aionos.trust;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolInstaller.Plan;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The folder in which a tool comes with its jar and goes with it. A signature may lie beside a jar,
 * and may come later: what trust refused waits, and is looked at again when there is a new word on
 * it.
 *
 * <p>Changes are taken on the thread of the folder's watch; {@link #retry} may be called from any.
 */
final class DeployFolder implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(DeployFolder.class);

  private static final String JAR = ".jar";

  /** In the order in which they are looked for. */
  private static final String[] SIGNATURES = {Sealed.BUNDLE_SUFFIX, Sealed.BARE_SUFFIX};

  /** What becomes of files. */
  interface Intake {

    /**
     * Takes in a jar, with its signature if it has one.
     *
     * @throws Refused if it does not come in
     */
    Plan install(byte[] jar, byte @Nullable [] signature, String file);

    /** The file has gone, and with it what came from it. */
    void remove(String file);

    /** Puts on record that a file was refused. */
    void refused(String file, Problem why);
  }

  private final Path folder;
  private final long jarBytesMax;
  private final ToolStore store;
  private final Intake intake;
  private final FolderWatch watch;

  /** Jars that lay here when we came; what we know of them already is not done again. */
  private final Set<String> foundAtStart = ConcurrentHashMap.newKeySet();

  /** Jars that trust refused, and why. */
  private final ConcurrentMap<Path, String> waiting = new ConcurrentHashMap<>();

  DeployFolder(Path folder, long jarBytesMax, ToolStore store, Intake intake) throws IOException {
    this.folder = Files.createDirectories(folder);
    this.jarBytesMax = jarBytesMax;
    this.store = store;
    this.intake = intake;
    this.watch = new FolderWatch("aion-deploy", folder, "", this::changed);
    try (var files = Files.newDirectoryStream(folder, "*" + JAR)) {
      files.forEach(file -> foundAtStart.add(file.getFileName().toString()));
    }
  }

  DeployFolder start(Duration look) {
    watch.start(look);
    return this;
  }

  @Override
  public void close() {
    watch.close();
  }

  boolean holds(String file) {
    return Files.exists(folder.resolve(file));
  }

  /** A file that was dealt with in a former run gets another chance. */
  void lookAgain(String file) {
    foundAtStart.remove(file);
  }

  /** Its tool was taken out; it waits for another word on it. */
  void await(String file, String why) {
    store.saw(file, null);
    waiting.put(folder.resolve(file), why);
  }

  /** Looks again at every jar that waits: the trust store or the allow-list has changed. */
  void retry() {
    new ArrayList<>(waiting.keySet()).forEach(this::jarChanged);
  }

  /** A file has come, changed or gone. */
  void changed(Path path) {
    String name = path.getFileName().toString();
    if (name.endsWith(JAR)) {
      waiting.remove(path);
      jarChanged(path);
      return;
    }
    for (String suffix : SIGNATURES) {
      if (name.endsWith(JAR + suffix)) {
        signatureChanged(path.resolveSibling(name.substring(0, name.length() - suffix.length())));
      }
    }
  }

  /** What came in on an operator's word may now have a vendor's too. */
  private void signatureChanged(Path jar) {
    String file = jar.getFileName().toString();
    boolean unsigned =
        store.tools().values().stream()
            .anyMatch(tool -> file.equals(tool.file()) && tool.signer() == null);
    if (Files.exists(jar) && (waiting.containsKey(jar) || unsigned)) {
      jarChanged(jar);
    }
  }

  private void jarChanged(Path path) {
    String file = path.getFileName().toString();
    try {
      if (Files.exists(path)) {
        jarCame(path, file);
      } else {
        waiting.remove(path);
        store.saw(file, null);
        intake.remove(file);
      }
    } catch (Refused refused) {
      refused(path, file, refused.problem());
    } catch (IOException | RuntimeException failed) {
      log.error("tool not installed: file={}", path, failed);
    }
  }

  private void jarCame(Path path, String file) throws IOException {
    byte[] bytes = read(path, jarBytesMax);
    String digest = ToolJar.digestOf(bytes);
    // Dropping a file again means it, but a file that a restart finds was dealt with before.
    if (foundAtStart.remove(file) && digest.equals(store.seen(file))) {
      return;
    }
    // Before trust is asked: its answer may be out of date by the time it is given.
    waiting.putIfAbsent(path, "");
    Plan plan = intake.install(bytes, signature(path), file);
    waiting.remove(path);
    store.saw(file, digest);
    log.info(
        "tool deployed: tool={} version={} replaces={}",
        plan.name(),
        plan.version(),
        plan.replaces());
  }

  private static byte @Nullable [] signature(Path jar) throws IOException {
    for (String suffix : SIGNATURES) {
      Path file = jar.resolveSibling(jar.getFileName() + suffix);
      if (Files.isRegularFile(file)) {
        return read(file, Sealed.BYTES_MAX);
      }
    }
    return null;
  }

  private static byte[] read(Path file, long bytesMax) throws IOException {
    if (Files.size(file) > bytesMax) {
      throw new Refused(
          Code.INVALID_FIELD, file.getFileName() + " has more than " + bytesMax + " bytes");
    }
    return Files.readAllBytes(file);
  }

  private void refused(Path path, String file, Problem why) {
    if (why.code() == Code.TOOL_NOT_TRUSTED) {
      String before = waiting.put(path, why.message());
      if (why.message().equals(before)) {
        // Looked at again, with the same outcome: said once is enough.
        return;
      }
    } else {
      waiting.remove(path);
    }
    String admit = why.admit();
    log.error(
        "tool refused: file={} why={}{}",
        path,
        why.message(),
        admit == null ? "" : "; do: " + admit);
    intake.refused(file, why);
  }
}
