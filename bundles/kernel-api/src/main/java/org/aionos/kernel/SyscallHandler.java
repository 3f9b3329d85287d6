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
}
