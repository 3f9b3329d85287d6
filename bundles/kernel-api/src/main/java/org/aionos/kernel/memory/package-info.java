/**
 * What stands between the memory service and where items are kept. A bundle that keeps them
 * elsewhere offers a {@link org.aionos.kernel.memory.StoreDriver}; one that makes vectors of texts
 * an {@link org.aionos.kernel.memory.Embedder}.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.aionos.kernel.memory;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
