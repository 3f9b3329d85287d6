package org.aionos.journal;

/** How far a record has come when the method that wrote it returns. */
enum Sync {
  /** Written to the file: survives the death of the process. */
  PROCESS,
  /** Forced to the disk: survives a power loss. */
  ALWAYS
}
