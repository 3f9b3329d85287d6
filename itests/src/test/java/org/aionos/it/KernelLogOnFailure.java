package org.aionos.it;

import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A failing test shows what its kernel said. Registered for all tests by META-INF/services. */
public final class KernelLogOnFailure implements AfterTestExecutionCallback {

  @Override
  public void afterTestExecution(ExtensionContext context) {
    context
        .getExecutionException()
        .ifPresent(failure -> System.err.println(RunningKernel.tailOfLastUsed()));
  }
}
