package org.aionos.probes;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Probes that are loaded. For one thread. */
interface Counters extends AutoCloseable {

  /** Loads probes. */
  @FunctionalInterface
  interface Loader {
    /**
     * @throws IOException if this host does not admit it; the message says why
     */
    Counters load() throws IOException;
  }

  /**
   * Counts what the processes of a group do from now on.
   *
   * @return whether the group is there still
   */
  boolean watch(long key, Path folder) throws IOException;

  void unwatch(long key) throws IOException;

  /** By key, since it was watched. */
  Map<Long, Counts> read() throws IOException;

  @Override
  void close();
}
