package org.aionos.kernel;

import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The only way out to the network, for syscalls and tools alike. Nothing is let out that no rule of
 * the operator names, and nothing to an address that is not public unless the rule says so. Whoever
 * calls has checked the capability {@code network}.
 */
@ProviderType
public interface Egress {

  /**
   * Makes a request, and those that it is redirected to, each checked and on record. Runs on the
   * calling thread's time.
   *
   * @throws Refused {@code EGRESS_DENIED}, {@code INVALID_FIELD}, {@code UPSTREAM_UNAVAILABLE},
   *     {@code RESULT_TOO_LARGE}, {@code KERNEL_BUSY}
   * @throws InterruptedException when the deadline passes; the request is given up
   */
  Fetched fetch(Fetch request, Via via) throws InterruptedException;

  /**
   * On whose behalf.
   *
   * @param tool null for the syscall itself
   * @param auditId of the call
   */
  record Via(AgentId agent, @Nullable String tool, String auditId) {}
}
