package org.aionos.kernel;

import java.util.function.Consumer;
import org.osgi.annotation.versioning.ProviderType;

/** The one door into the kernel. */
@ProviderType
public interface SyscallRouter {

  /**
   * Carries one syscall from request to reply. Runs on the calling thread; {@code reply} is called
   * exactly once, there or, when a tool overruns its deadline and ignores it, on the kernel's
   * watchdog thread. Never throws.
   */
  void handle(Syscall syscall, Consumer<Reply> reply);
}
