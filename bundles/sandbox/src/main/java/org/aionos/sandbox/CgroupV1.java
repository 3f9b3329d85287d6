package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Version 1: a hierarchy for each controller, or for some of them together. */
final class CgroupV1 implements ControlGroups {

  private static final Logger log = LoggerFactory.getLogger(CgroupV1.class);

  /** What a share of a processor is counted over; Linux's own default. */
  private static final int PERIOD_MICROS = 100_000;

  /** Where a host with both versions shows the second, which then has no controllers. */
  private static final String UNIFIED = "unified";

  /** What can freeze, and what counts processor time, where {@link #UNIFIED} does not. */
  private static final List<String> OF_AGENTS = List.of("freezer", "cpuacct");

  /**
   * Controller, or {@link #UNIFIED} if there is one for us, to the folder of this kernel's groups.
   */
  private final Map<String, Path> tools;

  /** Those of {@link #OF_AGENTS} that there are for us, and are needed. */
  private final Map<String, Path> ofAgents;

  private CgroupV1(Map<String, Path> tools, Map<String, Path> ofAgents) {
    this.tools = tools;
    this.ofAgents = ofAgents;
  }

  /**
   * Below this process's own group, so that what bounds the kernel bounds its tools; where that is
   * not ours to write, below a folder {@code aion} that an administrator has given us.
   */
  static ControlGroups find(Path root, List<String> own, String kernel) throws IOException {
    Map<String, Path> tools = new LinkedHashMap<>();
    for (String controller : CONTROLLERS) {
      Path hierarchy = root.resolve(controller);
      if (!Files.isDirectory(hierarchy)) {
        throw new IOException("this host has no cgroup controller " + controller);
      }
      tools.put(controller, folder(hierarchy.toRealPath(), ownPath(own, controller), kernel));
    }
    if (Files.exists(root.resolve(UNIFIED).resolve("cgroup.procs"))) {
      try {
        tools.put(UNIFIED, folder(root.resolve(UNIFIED).toRealPath(), ownPath(own, ""), kernel));
      } catch (IOException notOurs) {
        log.debug("probes will not tell tools apart", notOurs);
      }
    }
    return new CgroupV1(tools, ofAgents(root, own, kernel, tools.get(UNIFIED)));
  }

  private static Map<String, Path> ofAgents(
      Path root, List<String> own, String kernel, @Nullable Path unified) {
    Map<String, Path> found = new LinkedHashMap<>();
    if (unified != null && Files.exists(unified.resolve("cgroup.freeze"))) {
      return found;
    }
    for (String controller : OF_AGENTS) {
      Path hierarchy = root.resolve(controller);
      if (Files.isDirectory(hierarchy)) {
        try {
          found.put(controller, folder(hierarchy.toRealPath(), ownPath(own, controller), kernel));
        } catch (IOException notOurs) {
          log.warn("not of use for agents: controller={}", controller, notOurs);
        }
      }
    }
    return found;
  }

  private static Path folder(Path hierarchy, String own, String kernel) throws IOException {
    String below = "aion/" + kernel + "/tools";
    for (Path above : List.of(hierarchy.resolve(own), hierarchy)) {
      if (Files.isDirectory(above)) {
        try {
          return Files.createDirectories(above.resolve(below));
        } catch (IOException notOurs) {
          continue;
        }
      }
    }
    String folder = hierarchy.resolve("aion").toString();
    throw new IOException(
        "cannot make cgroups in "
            + hierarchy
            + "; as root: mkdir "
            + folder
            + " && chown $USER "
            + folder);
  }

  /** Of lines as {@code 4:memory,cpu:/a/b}, the path of a controller, without its first slash. */
  private static String ownPath(List<String> own, String controller) {
    for (String line : own) {
      String[] fields = line.split(":", 3);
      if (fields.length == 3 && List.of(fields[1].split(",")).contains(controller)) {
        return fields[2].substring(1);
      }
    }
    return "";
  }

  @Override
  public String kind() {
    return "cgroup v1";
  }

  @Override
  public List<Path> folders() {
    return Stream.concat(tools.values().stream(), ofAgents.values().stream())
        .distinct()
        .map(Path::getParent)
        .toList();
  }

  @Override
  public ControlGroup create(String id, Limits limits, boolean freezable) throws IOException {
    Set<Path> all = new LinkedHashSet<>(tools.values());
    if (freezable) {
      all.addAll(ofAgents.values());
    }
    List<Path> folders = new ArrayList<>();
    for (Path each : all) {
      folders.add(Files.createDirectories(each.resolve(id)));
    }
    Path memory = folder("memory", id);
    Path unified = tools.containsKey(UNIFIED) ? folder(UNIFIED, id) : null;
    CgroupFolders group = new CgroupFolders(folders, memory.resolve("memory.oom_control"), unified);
    try {
      String bytes = Long.toString(limits.memoryBytesMax());
      CgroupFolders.write(memory.resolve("memory.limit_in_bytes"), bytes);
      Path withSwap = memory.resolve("memory.memsw.limit_in_bytes");
      if (Files.exists(withSwap)) {
        CgroupFolders.write(withSwap, bytes);
      }
      CgroupFolders.write(
          folder("pids", id).resolve("pids.max"), Integer.toString(limits.processesMax()));
      Path cpu = folder("cpu", id);
      CgroupFolders.write(cpu.resolve("cpu.cfs_period_us"), Integer.toString(PERIOD_MICROS));
      CgroupFolders.write(
          cpu.resolve("cpu.cfs_quota_us"),
          Long.toString(PERIOD_MICROS / 100L * limits.cpuPercent()));
      group.seal();
      return group;
    } catch (IOException unbounded) {
      group.remove();
      throw unbounded;
    }
  }

  private Path folder(String controller, String id) throws IOException {
    Path folder = tools.get(controller);
    if (folder == null) {
      throw new IOException("this host has no cgroup controller " + controller);
    }
    return folder.resolve(id);
  }
}
