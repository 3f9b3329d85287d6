package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Version 2: one hierarchy, in which only groups without groups below them hold processes. */
final class CgroupV2 implements ControlGroups {

  private static final int PERIOD_MICROS = 100_000;

  private final Path tools;

  private CgroupV2(Path tools) {
    this.tools = tools;
  }

  /**
   * Below this process's own group, so that what bounds the kernel bounds its tools, else below the
   * root of what we can see.
   */
  static ControlGroups find(Path root, List<String> own, String kernel) throws IOException {
    List<String> why = new ArrayList<>();
    for (Path above : new LinkedHashSet<>(List.of(root.resolve(ownPath(own)), root))) {
      try {
        Path aion = above.resolve("aion");
        Path tools = aion.resolve(kernel).resolve("tools");
        requireControllers(above);
        Files.createDirectories(tools);
        handDown(above, aion.resolve(kernel).resolve("kernel"));
        for (Path each : List.of(aion, aion.resolve(kernel), tools)) {
          handDown(each, null);
        }
        return new CgroupV2(tools);
      } catch (IOException notOurs) {
        why.add(above + ": " + notOurs.getMessage());
      }
    }
    throw new IOException(
        "cannot make cgroups ("
            + String.join("; ", why)
            + "); start the kernel in a group of its own: systemd-run --scope -p Delegate=yes"
            + " ./aion up --foreground (with --user if you are not root)");
  }

  private static String ownPath(List<String> own) {
    for (String line : own) {
      if (line.startsWith("0::/")) {
        return line.substring("0::/".length());
      }
    }
    return "";
  }

  private static void requireControllers(Path group) throws IOException {
    Set<String> available = words(group.resolve("cgroup.controllers"));
    if (!available.containsAll(CONTROLLERS)) {
      throw new IOException(
          "of the controllers " + String.join(", ", CONTROLLERS) + " it has only " + available);
    }
  }

  /**
   * Gives the controllers of a group to those below it. That is only admitted while the group holds
   * no process itself, so if it holds us alone, we move.
   *
   * @param leaf where to; null if the group is a new one of ours
   */
  private static void handDown(Path group, @Nullable Path leaf) throws IOException {
    Path control = group.resolve("cgroup.subtree_control");
    if (words(control).containsAll(CONTROLLERS)) {
      return;
    }
    String wanted = "+" + String.join(" +", CONTROLLERS);
    try {
      CgroupFolders.write(control, wanted);
    } catch (IOException busy) {
      String own = Long.toString(ProcessHandle.current().pid());
      if (leaf == null
          || !CgroupFolders.lines(group.resolve("cgroup.procs")).equals(List.of(own))) {
        throw busy;
      }
      Files.createDirectories(leaf);
      CgroupFolders.write(leaf.resolve("cgroup.procs"), own);
      CgroupFolders.write(control, wanted);
    }
  }

  private static Set<String> words(Path file) {
    Set<String> words = new LinkedHashSet<>();
    CgroupFolders.lines(file).forEach(line -> words.addAll(Arrays.asList(line.split(" "))));
    return words;
  }

  @Override
  public String kind() {
    return "cgroup v2";
  }

  @Override
  public List<Path> folders() {
    // Not the folder above: this process itself may be in its leaf.
    return List.of(tools);
  }

  @Override
  public ControlGroup create(String id, Limits limits, boolean freezable) throws IOException {
    Path folder = Files.createDirectories(tools.resolve(id));
    CgroupFolders group =
        new CgroupFolders(List.of(folder), folder.resolve("memory.events"), folder);
    try {
      CgroupFolders.write(folder.resolve("memory.max"), Long.toString(limits.memoryBytesMax()));
      Path swap = folder.resolve("memory.swap.max");
      if (Files.exists(swap)) {
        CgroupFolders.write(swap, "0");
      }
      // One killed process would leave the others behind, half alive.
      CgroupFolders.write(folder.resolve("memory.oom.group"), "1");
      CgroupFolders.write(folder.resolve("pids.max"), Integer.toString(limits.processesMax()));
      CgroupFolders.write(
          folder.resolve("cpu.max"),
          PERIOD_MICROS / 100L * limits.cpuPercent() + " " + PERIOD_MICROS);
      group.seal();
      return group;
    } catch (IOException unbounded) {
      group.remove();
      throw unbounded;
    }
  }
}
