/**
 * The whole world of a tool author: one interface to implement and the values that cross it.
 *
 * <p>This package depends on the JDK alone. Kernel types never appear in it, so no change inside
 * the kernel can break, or refresh, an installed tool.
 */
@Export
@Version("1.1.0")
@NullMarked
package org.aionos.tool;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
