package org.aionos.sandbox;

import java.io.IOException;

/** Makes cages. */
@FunctionalInterface
interface Cages {

  /**
   * Starts a program behind walls of its own.
   *
   * @param tenant whose data it will see
   * @throws IOException if the host does not build all the walls; nothing runs then
   */
  Cage open(Program program, String tenant) throws IOException;
}
