package org.aionos.bench;

import java.nio.ByteBuffer;

/** Makes requests, one after the other. Not for use by two threads at once. */
interface Source {

  /** The next request, good until the one after it. */
  ByteBuffer next();
}
