package org.aionos.files;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says which files of a folder have come, changed or gone, once each has kept still for one look.
 * Looks instead of listening, because a listener cannot tell a half-written file from a whole one,
 * and works the same on every file system.
 *
 * <p>The listener runs on the watch's own thread, one change at a time. Hidden files (a leading
 * dot) are passed over.
 */
public final class FolderWatch implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(FolderWatch.class);

  /** What one look at a file shows; two equal looks in a row mean that nobody is writing it. */
  private record Look(long size, FileTime modified) {}

  private final Path folder;
  private final String suffix;
  private final Consumer<Path> changed;
  private final Map<Path, Look> settled = new TreeMap<>();
  private Map<Path, Look> lastLook = new TreeMap<>();
  private final ScheduledExecutorService looker;

  /**
   * @param suffix only files whose name ends so
   * @param changed told of each file that has come, changed or gone; must not throw
   */
  public FolderWatch(String name, Path folder, String suffix, Consumer<Path> changed) {
    this.folder = folder;
    this.suffix = suffix;
    this.changed = changed;
    this.looker =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Takes what is there now as known, without telling of it. */
  public FolderWatch settle() {
    lastLook = look();
    settled.clear();
    settled.putAll(lastLook);
    return this;
  }

  /** Begins to look, from now on, at this interval. */
  public FolderWatch start(Duration interval) {
    looker.scheduleWithFixedDelay(
        this::compareOrLog, 0, Math.max(1, interval.toMillis()), TimeUnit.MILLISECONDS);
    return this;
  }

  /** A look that failed must not be the last: an executor drops a task that throws. */
  private void compareOrLog() {
    try {
      compare();
    } catch (RuntimeException unexpected) {
      log.error("folder could not be looked at: folder={}", folder, unexpected);
    }
  }

  /** One look; tells of every file that has kept still since the look before. */
  void compare() {
    Map<Path, Look> now = look();
    TreeSet<Path> all = new TreeSet<>(now.keySet());
    all.addAll(settled.keySet());
    for (Path file : all) {
      Look seen = now.get(file);
      boolean still = seen == null ? !lastLook.containsKey(file) : seen.equals(lastLook.get(file));
      if (still && !Objects.equals(seen, settled.get(file))) {
        if (seen == null) {
          settled.remove(file);
        } else {
          settled.put(file, seen);
        }
        changed.accept(file);
      }
    }
    lastLook = now;
  }

  private Map<Path, Look> look() {
    Map<Path, Look> files = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path file : entries) {
        String name = file.getFileName().toString();
        if (name.endsWith(suffix) && !name.startsWith(".")) {
          look(file, files);
        }
      }
    } catch (NoSuchFileException gone) {
      return files;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    return files;
  }

  private static void look(Path file, Map<Path, Look> into) throws IOException {
    try {
      BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
      if (attributes.isRegularFile()) {
        into.put(file, new Look(attributes.size(), attributes.lastModifiedTime()));
      }
    } catch (NoSuchFileException gone) {
      // This one has gone, or is a link to nowhere; the others have not.
      log.trace("nothing there: file={}", file);
    }
  }

  @Override
  public void close() {
    looker.shutdownNow();
  }
}
