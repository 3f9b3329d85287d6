/**
 * The process tier: tools that run as programs of their own, behind namespaces, a seccomp filter
 * and a cgroup. Begin reading at {@link org.aionos.sandbox.ProcessTier}; {@link
 * org.aionos.sandbox.Walls} says what is behind them, a {@link org.aionos.sandbox.Launcher} builds
 * them, {@link org.aionos.sandbox.Worker} speaks with what is inside. Exports nothing.
 */
@NullMarked
package org.aionos.sandbox;

import org.jspecify.annotations.NullMarked;
