/**
 * The process tier: tools that run as programs of their own, behind bubblewrap, a seccomp filter
 * and a cgroup. Begin reading at {@link org.aionos.sandbox.ProcessTier}; {@link
 * org.aionos.sandbox.Bubblewrap} builds the walls, {@link org.aionos.sandbox.Worker} speaks with
 * what is behind them. Exports nothing.
 */
@NullMarked
package org.aionos.sandbox;

import org.jspecify.annotations.NullMarked;
