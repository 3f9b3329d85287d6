package org.aionos.kernel;

import java.util.function.Consumer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Hears what becomes of one syscall: {@link #begun} at most once, then any number of {@link #said},
 * and {@link #ended} exactly once and last.
 *
 * <p><b>Threads.</b> Called on the threads of the call, several perhaps, and of the kernel's
 * watchdog. What takes long here holds up the call.
 */
@ConsumerType
public interface CallListener {

  /** The call is admitted and on its way; until it has ended it can be cancelled by this id. */
  void begun(String auditId);

  void said(Interim interim);

  void ended(Reply reply);

  /** For whom the end alone counts. */
  static CallListener atEnd(Consumer<Reply> reply) {
    return new CallListener() {
      @Override
      public void begun(String auditId) {}

      @Override
      public void said(Interim interim) {}

      @Override
      public void ended(Reply ended) {
        reply.accept(ended);
      }
    };
  }
}
