package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What bounds workers on this host. */
interface ControlGroups {

  /** The controllers a worker is bounded by. */
  List<String> CONTROLLERS = List.of("memory", "cpu", "pids");

  /** How groups of this kind are called, for operators. */
  String kind();

  /** The folders that hold all groups of this kernel, for the next kernel to sweep. */
  List<Path> folders();

  /**
   * Makes a group.
   *
   * @param id a file name that no other group of this kernel has
   * @param freezable whether it must be one that can be frozen and whose processor time is counted,
   *     where this host has such; it takes a little longer
   * @throws IOException if a limit cannot be set; then there is no group
   */
  ControlGroup create(String id, Limits limits, boolean freezable) throws IOException;

  /**
   * Finds the groups that this host has.
   *
   * @param root where the host shows its cgroups, {@code /sys/fs/cgroup}
   * @param own what {@code /proc/self/cgroup} says
   * @param kernel names this kernel among those of the host
   * @throws IOException if there are none that we may use; the message says what would help
   */
  static ControlGroups find(Path root, List<String> own, String kernel) throws IOException {
    if (Files.exists(root.resolve("cgroup.controllers"))) {
      return CgroupV2.find(root, own, kernel);
    }
    if (Files.isDirectory(root.resolve("memory"))) {
      return CgroupV1.find(root, own, kernel);
    }
    throw new IOException(
        "there are no cgroups at " + root + "; mount them: mount -t cgroup2 none " + root);
  }
}
