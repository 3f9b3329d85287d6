package org.aionos.kernel;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * Runs tools that are not trusted with the kernel's own process. A provider serves the tiers named
 * in its service property {@link #TIERS}; the router finds it by what stands before the colon in a
 * tool's {@code entry}.
 *
 * <p>Fails closed: what the host cannot isolate is refused, with the reason and the fix, and never
 * run with less.
 */
@ConsumerType
public interface ToolTier {

  /** Service property: the tiers served, a text or an array of texts. */
  String TIERS = "aion.tiers";

  /**
   * Makes a tool ready for calls. Slow work, compiling above all, is done here, on the thread that
   * deploys the tool.
   *
   * @throws Refused {@code TIER_UNAVAILABLE} if this host cannot isolate it, {@code INVALID_FIELD}
   *     if the package is no tool of this tier
   */
  ConfinedTool open(ToolPackage tool);
}
