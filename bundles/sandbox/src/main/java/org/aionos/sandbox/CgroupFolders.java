package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One group as the kernel of the host shows it: a folder in each hierarchy of version 1, or the one
 * of version 2.
 */
final class CgroupFolders implements ControlGroup {

  private static final Logger log = LoggerFactory.getLogger(CgroupFolders.class);

  private static final String PROCESSES = "cgroup.procs";

  /** A process that was killed still gives its memory back; that of 256 MiB takes some 30 ms. */
  private static final Duration GONE_MAX = Duration.ofSeconds(5);

  private final List<Path> folders;
  private final Path memoryEvents;
  private final @Nullable Path unified;

  /**
   * @param memoryEvents the file with a line {@code oom_kill <number>}
   * @param unified the one among the folders that is of version 2
   */
  CgroupFolders(List<Path> folders, Path memoryEvents, @Nullable Path unified) {
    this.folders = List.copyOf(folders);
    this.memoryEvents = memoryEvents;
    this.unified = unified;
  }

  @Override
  public @Nullable Path unified() {
    return unified;
  }

  @Override
  public List<Path> doors() {
    return folders.stream().map(folder -> folder.resolve(PROCESSES)).toList();
  }

  @Override
  public List<Long> processes() {
    Set<Long> processes = new LinkedHashSet<>();
    for (Path door : doors()) {
      for (String line : lines(door)) {
        processes.add(Long.valueOf(line));
      }
    }
    return List.copyOf(processes);
  }

  @Override
  public boolean outOfMemory() {
    return lines(memoryEvents).stream()
        .anyMatch(line -> line.startsWith("oom_kill ") && !line.equals("oom_kill 0"));
  }

  @Override
  public void kill() {
    for (Path folder : folders) {
      Path all = folder.resolve("cgroup.kill");
      if (Files.exists(all)) {
        try {
          write(all, "1");
        } catch (IOException unwritable) {
          log.debug("cannot kill by group: folder={}", folder, unwritable);
        }
      }
    }
    // One of them is the first process of the worker's pid namespace: the others die with it, also
    // those that are being forked right now.
    processes().forEach(pid -> ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly));
  }

  @Override
  public void remove() {
    boolean empty =
        Patience.await(
            GONE_MAX,
            () -> {
              if (processes().isEmpty()) {
                return true;
              }
              kill();
              return false;
            });
    boolean removed =
        empty && Patience.await(GONE_MAX, () -> folders.stream().allMatch(CgroupFolders::removed));
    if (!removed) {
      log.error("processes of a tool cannot be ended: group={} pids={}", folders, processes());
    }
  }

  /**
   * Admits no groups within: a runtime that runs as the same user as we would make one, and
   * processes in it are neither counted nor removed here.
   */
  void seal() throws IOException {
    for (Path folder : folders) {
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("r-xr-xr-x"));
    }
  }

  /** Whether a folder is gone now. The host gives a group up a moment after its last process. */
  private static boolean removed(Path folder) {
    try {
      Files.deleteIfExists(folder);
      return true;
    } catch (IOException busy) {
      return false;
    }
  }

  /** Ends and removes every group below a folder, and the folder. */
  static void sweep(Path folder) {
    if (!Files.isDirectory(folder)) {
      return;
    }
    List<Path> groups = new ArrayList<>();
    try (Stream<Path> all = Files.walk(folder)) {
      all.filter(Files::isDirectory).sorted(Comparator.reverseOrder()).forEach(groups::add);
    } catch (IOException unreadable) {
      log.warn("cannot look for what a dead kernel left: folder={}", folder, unreadable);
    }
    for (Path group : groups) {
      new CgroupFolders(List.of(group), group.resolve("none"), null).remove();
    }
  }

  /** The cgroup files take one write, so no buffering and no truncation. */
  static void write(Path file, String value) throws IOException {
    try (OutputStream out = new FileOutputStream(file.toFile())) {
      out.write(value.getBytes(US_ASCII));
    }
  }

  static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file, US_ASCII);
    } catch (IOException gone) {
      return List.of();
    }
  }
}
