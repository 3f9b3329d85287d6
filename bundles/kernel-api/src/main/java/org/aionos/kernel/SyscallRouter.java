package org.aionos.kernel;

import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** The one door into the kernel. */
@ProviderType
public interface SyscallRouter {

  /**
   * Carries one syscall from request to reply. Runs on the calling thread; the end is told exactly
   * once, there or, when a tool overruns its deadline and ignores it, on the kernel's watchdog
   * thread. Never throws.
   */
  void handle(Syscall syscall, CallListener listener);

  /** As {@link #handle(Syscall, CallListener)}, for whom the end alone counts. */
  default void handle(Syscall syscall, Consumer<Reply> reply) {
    handle(syscall, CallListener.atEnd(reply));
  }

  /** The calls that have begun and not ended, the oldest first. */
  List<Running> running();

  /**
   * Asks a call to end: its thread is interrupted, and where a tool ignores that, the caller is
   * answered in its place. It ends with {@code CANCELLED}, unless it was about to end otherwise.
   *
   * @param by who wants it; the caller is told, and the journal
   * @return whether the call was running
   * @throws Refused {@code JOURNAL_UNAVAILABLE} if it could not be put on record; the call goes on
   */
  boolean cancel(String auditId, String by);

  /**
   * Breaks off a call of a task that is preempted, if it can go on later from where it is. Its
   * caller is told {@code CANCELLED}; on its task's log it has not ended.
   *
   * @return whether the call was running and can go on later; else it was left alone
   */
  default boolean suspend(String auditId) {
    return false;
  }

  /**
   * @param tool what {@code tool.invoke} was asked for; null for other syscalls
   */
  record Running(
      String auditId, String syscall, @Nullable String tool, AgentId agent, Instant begun) {}
}
