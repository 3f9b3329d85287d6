/**
 * Work that the kernel does by itself: tasks, where they are kept, how agents run as processes, and
 * what all of it may use up. {@link org.aionos.kernel.task.Scheduler} is what people see of it.
 */
@Export
@Version("1.1.0")
@NullMarked
package org.aionos.kernel.task;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
