/**
 * The contracts between kernel bundles, in the order a syscall meets them: {@link
 * org.aionos.kernel.Identity}, {@link org.aionos.kernel.Syscall}, {@link
 * org.aionos.kernel.Journal}, {@link org.aionos.kernel.Policy}, {@link
 * org.aionos.kernel.SyscallHandler}, {@link org.aionos.kernel.Outcome}. Tools never import this.
 */
@Export
@Version("1.3.0")
@NullMarked
package org.aionos.kernel;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
