package org.aionos.sandbox;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** What builds the walls: a program of the host, and how it is told what {@link Walls} says. */
interface Launcher {

  /** How it is called, for operators. */
  String name();

  /** What this host has to install for it, as a reason and its fix; empty if it is here. */
  Optional<String> lacks();

  /**
   * Whether it can put a filter before a program.
   *
   * @return why not; empty if it can
   */
  Optional<String> lacks(SeccompProfile calls);

  /** Whether what it starts is bounded, and ends with the kernel, where there are no cgroups. */
  boolean worksWithoutGroups();

  /**
   * Gets ready to start a program.
   *
   * @param id a file name that no other cage of this kernel has
   * @param user who will run it; what the launcher needs to write must be that user's
   * @param grouped whether a cgroup bounds it
   */
  Launch prepare(String id, Program program, User user, boolean grouped) throws IOException;

  /** What would help, of what a failed trial said on stderr. */
  String fix(String said);

  /** A user of the host. */
  record User(int uid, int gid) {}

  /**
   * What is to be run.
   *
   * @param preparation lines of shell that run before it, within the group
   * @param command the launcher's, and the program's after it
   * @param left takes away what the launcher leaves; nothing runs any more then
   */
  record Launch(String preparation, List<String> command, Runnable left) {}
}
