package org.aionos.shell;

import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.task.Budgets;
import org.aionos.kernel.task.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * What a command needs, if it is there. Karaf takes all commands of this bundle away while a
 * service is missing that one of them requires. Without the scheduler there is no router, and
 * operators need the shell most of all then: so both are optional.
 */
final class Present {

  private Present() {}

  /**
   * @throws IllegalStateException that says what is missing
   */
  static Scheduler scheduler(@Nullable Scheduler scheduler) {
    if (scheduler == null) {
      throw new IllegalStateException(
          "the scheduler does not run: it is being replaced, or cannot reach its store; see"
              + " GET /readyz and the log");
    }
    return scheduler;
  }

  /**
   * @throws IllegalStateException that says what is missing
   */
  static Budgets budgets(@Nullable Budgets budgets) {
    if (budgets == null) {
      throw new IllegalStateException("the scheduler does not run: it is being replaced; retry");
    }
    return budgets;
  }

  /**
   * @throws IllegalStateException that says what is missing
   */
  static SyscallRouter router(@Nullable SyscallRouter router) {
    if (router == null) {
      throw new IllegalStateException(
          "the router does not run: it, or what it needs, is being replaced or cannot start; see"
              + " GET /readyz and the log");
    }
    return router;
  }
}
