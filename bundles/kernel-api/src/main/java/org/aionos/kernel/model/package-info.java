/** Models, as the kernel itself asks them. The model bundle provides it. */
@Export
@Version("1.0.0")
@NullMarked
package org.aionos.kernel.model;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
