package org.aionos.kernel;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Carries out the syscalls named in its service property {@link #NAMES}. Handlers come and go with
 * their bundles.
 *
 * <p><b>Threads.</b> Called from many threads at once. <b>Time.</b> The thread is interrupted at
 * the deadline.
 */
@ConsumerType
@FunctionalInterface
public interface SyscallHandler {

  /** Service property: the syscall names served, a text or an array of texts. */
  String NAMES = "aion.syscalls";

  /** Service property: capabilities that every call to it takes, a text or an array of texts. */
  String NEEDS = "aion.needs";

  /**
   * Carries out one call.
   *
   * @throws Refused if the request is at fault; any other exception is a fault of the kernel
   * @throws InterruptedException when the deadline passes
   */
  Outcome.Ok run(Admitted call) throws InterruptedException;

  /**
   * What a call may use up at most, as far as can be told beforehand: so much is set aside for it.
   * Does no I/O and does not throw; of params that {@link #run} would refuse it says anything.
   */
  default Outcome.Spent atMost(Syscall syscall) {
    return Outcome.Spent.NOTHING;
  }
}
