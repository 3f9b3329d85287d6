package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The devices of the host that a profile names for its tools.
 *
 * @param optional whether tools run without those that are not there
 */
record Devices(List<Path> paths, boolean optional) {

  private static final Logger log = LoggerFactory.getLogger(Devices.class);

  /** The capability that a tool must need, and so its agent hold, to be given any. */
  static final String CAPABILITY = "gpu";

  /** All that a profile may name: by other devices a tool could leave its cage. */
  static final Pattern GPUS =
      Pattern.compile(
          "/dev/nvidia[a-z0-9-]{1,32}|/dev/nvidia-caps/nvidia-cap\\d{1,4}"
              + "|/dev/dri/renderD\\d{1,3}|/dev/kfd");

  static final int COUNT_MAX = 64;

  static final Devices NONE = new Devices(List.of(), false);

  private static final int TYPE = 0170000;
  private static final int CHARACTER_DEVICE = 0020000;
  private static final int GROUP_READS_AND_WRITES = 0060;
  private static final int ALL_READ_AND_WRITE = 0006;

  Devices {
    paths = List.copyOf(paths);
  }

  /**
   * What a tool gets.
   *
   * @param groups of the host that its user must be in to open them; only root can see to that
   */
  record Granted(List<Path> paths, Set<Integer> groups) {

    static final Granted NOTHING = new Granted(List.of(), Set.of());

    Granted {
      paths = List.copyOf(paths);
      groups = Set.copyOf(groups);
    }
  }

  /**
   * Looks for the devices.
   *
   * @param root whether the kernel is root, and puts tools into groups
   * @throws IOException if one is not there, or tools could not open it, with the fix; not of those
   *     that are optional
   */
  Granted granted(boolean root) throws IOException {
    List<Path> found = new ArrayList<>();
    Set<Integer> groups = new LinkedHashSet<>();
    for (Path path : paths) {
      try {
        group(path, root).ifPresent(groups::add);
        found.add(path);
      } catch (IOException unusable) {
        if (!optional) {
          throw unusable;
        }
        log.info("tools go without a device: why={}", unusable.getMessage());
      }
    }
    return new Granted(found, groups);
  }

  /** The group that a tool's user must be put into to open a device; empty if none. */
  private static Optional<Integer> group(Path path, boolean root) throws IOException {
    if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
      throw new IOException(
          "this host has no device "
              + path
              + "; load its driver, or say optional: true in the profile's gpu");
    }
    int mode = attribute(path, "unix:mode");
    if ((mode & TYPE) != CHARACTER_DEVICE) {
      throw new IOException(path + " is no character device");
    }
    if (!root) {
      if (!Files.isReadable(path) || !Files.isWritable(path)) {
        throw new IOException(
            "the kernel's user may not open "
                + path
                + "; add it to the group of that device, as usermod -aG render aion");
      }
      return Optional.empty();
    }
    if ((mode & ALL_READ_AND_WRITE) == ALL_READ_AND_WRITE) {
      return Optional.empty();
    }
    int group = attribute(path, "unix:gid");
    if (group == 0 || (mode & GROUP_READS_AND_WRITES) != GROUP_READS_AND_WRITES) {
      throw new IOException(
          "only root may open "
              + path
              + ", which no tool is; give it a group, as chgrp render "
              + path
              + " && chmod 660 "
              + path);
    }
    return Optional.of(group);
  }

  private static int attribute(Path path, String name) throws IOException {
    return (Integer) Files.getAttribute(path, name, LinkOption.NOFOLLOW_LINKS);
  }
}
