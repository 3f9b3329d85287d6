package org.aionos.kernel.task;

import java.util.Map;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.Underway;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The calls of tasks, in the order in which each task makes them. A task that begins anew makes the
 * same calls again; those that ended before are answered from the log, and are neither carried out
 * nor charged a second time.
 */
@ProviderType
public interface TaskCalls {

  /**
   * A task makes a call. Calls that are not a task's own get {@link Turn#NONE}.
   *
   * @throws Refused {@code REPLAY_DIVERGED} if the task makes another call than it did before,
   *     {@code CONFLICT} if the task does not run here
   */
  Turn begin(Syscall syscall);

  /** One call of a task. */
  interface Turn {

    /** Of a call that is no task's. */
    Turn NONE =
        new Turn() {
          @Override
          public @Nullable Reply recorded() {
            return null;
          }

          @Override
          public void asked(String auditId) {}

          @Override
          public void ended(Reply reply) {}
        };

    /** How the call ended before; null if it is to be carried out. */
    @Nullable Reply recorded();

    /**
     * Puts on the task's log that the call is about to be carried out.
     *
     * @throws Refused if that could not be written; then nothing may be done
     */
    void asked(String auditId);

    /** The state in which this call was broken off before; null if it begins. */
    default @Nullable Map<String, @Nullable Object> before() {
      return null;
    }

    /**
     * Puts on the task's log how far the call is that was broken off, since its task is preempted.
     * It has not ended; it is made again when the task goes on.
     *
     * @throws Refused if that could not be written
     */
    default void suspended(Underway.SoFar soFar) {}

    /**
     * Puts on the task's log how the call ended.
     *
     * @throws Refused if that could not be written: then its end is not known
     */
    void ended(Reply reply);
  }
}
