package org.aionos.scheduler;

import org.aionos.kernel.task.TaskStore;

/**
 * The store that tasks are kept in, for as long as it is there. A service of {@link TaskStores}.
 *
 * @param node names this kernel, and this opening, among all others
 * @param shared whether other kernels may have it too
 */
public record OpenStore(TaskStore store, String node, boolean shared) {}
