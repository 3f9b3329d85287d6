package org.aionos.wasm;

import org.jspecify.annotations.Nullable;
import run.endive.log.Logger;

/**
 * What the engine would tell of each call is the tool's doing, and does not belong into our log.
 */
final class Quiet implements Logger {

  @Override
  public void log(Level level, String message, @Nullable Throwable cause) {}

  @Override
  public boolean isLoggable(Level level) {
    return false;
  }
}
