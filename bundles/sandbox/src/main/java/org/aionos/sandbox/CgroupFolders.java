package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.FileNotFoundException;
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
import org.aionos.kernel.task.AgentLauncher;
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

  /** The switch of version 2, which may be there beside groups of version 1. */
  private static final String UNIFIED_FREEZER = "cgroup.freeze";

  private static final String FREEZER = "freezer.state";
  private static final String FROZEN = "FROZEN";

  /** Of {@code cpu.stat} of version 2. */
  private static final String USAGE = "usage_usec ";

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
  public void freeze() throws IOException {
    Path unifiedSwitch = file(UNIFIED_FREEZER);
    Path freezer = file(FREEZER);
    if (unifiedSwitch != null) {
      write(unifiedSwitch, "1");
    } else if (freezer != null) {
      write(freezer, FROZEN);
    } else {
      throw new IOException(
          "this host cannot freeze processes: there is neither cgroup.freeze (cgroups of version 2)"
              + " nor the controller freezer of version 1; ./aion doctor has the fix");
    }
  }

  @Override
  public boolean isFrozen() {
    Path events = file("cgroup.events");
    if (events != null && file(UNIFIED_FREEZER) != null) {
      return lines(events).contains("frozen 1");
    }
    Path freezer = file(FREEZER);
    return freezer != null && lines(freezer).contains(FROZEN);
  }

  @Override
  public void thaw() {
    writeIfThere(file(UNIFIED_FREEZER), "0");
    writeIfThere(file(FREEZER), "THAWED");
  }

  private static void writeIfThere(@Nullable Path file, String value) {
    if (file != null) {
      try {
        write(file, value);
      } catch (IOException gone) {
        log.debug("a group is gone: file={}", file, gone);
      }
    }
  }

  /** A file of that name in whichever folder has one. */
  private @Nullable Path file(String name) {
    for (Path folder : folders) {
      Path file = folder.resolve(name);
      if (Files.exists(file)) {
        return file;
      }
    }
    return null;
  }

  @Override
  public AgentLauncher.Usage usage() {
    return new AgentLauncher.Usage(
        cpuMicros(),
        Math.max(number("memory.current"), number("memory.usage_in_bytes")),
        processes().size());
  }

  private long cpuMicros() {
    // Version 1 has a file of that name too, which says something else.
    for (Path folder : folders) {
      for (String line : lines(folder.resolve("cpu.stat"))) {
        if (line.startsWith(USAGE)) {
          return Long.parseLong(line.substring(USAGE.length()));
        }
      }
    }
    return number("cpuacct.usage") / 1_000;
  }

  /** 0 where there is no such file. */
  private long number(String name) {
    Path file = file(name);
    List<String> lines = file == null ? List.of() : lines(file);
    return lines.isEmpty() ? 0 : Long.parseLong(lines.get(0));
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
    // Version 1 does not end what is frozen. What is thawed now dies before it does anything else.
    thaw();
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

  /** Ends and removes every group below folders, and the folders. */
  static void sweep(List<Path> folders) {
    List<CgroupFolders> groups = new ArrayList<>();
    for (Path folder : folders) {
      if (Files.isDirectory(folder)) {
        try (Stream<Path> all = Files.walk(folder)) {
          all.filter(Files::isDirectory)
              .sorted(Comparator.reverseOrder())
              .map(each -> new CgroupFolders(List.of(each), each.resolve("none"), null))
              .forEach(groups::add);
        } catch (IOException unreadable) {
          log.warn("cannot look for what a dead kernel left: folder={}", folder, unreadable);
        }
      }
    }
    // All of them first: what is frozen in one hierarchy does not end in another.
    groups.forEach(CgroupFolders::kill);
    groups.forEach(CgroupFolders::remove);
  }

  /** The cgroup files take one write, so no buffering and no truncation. */
  static void write(Path file, String value) throws IOException {
    try (OutputStream out = new FileOutputStream(file.toFile())) {
      out.write(value.getBytes(US_ASCII));
    } catch (FileNotFoundException named) {
      throw named;
    } catch (IOException refused) {
      // Linux says no more than "Invalid argument".
      throw new IOException(
          file + " does not take " + value + ": " + refused.getMessage(), refused);
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
