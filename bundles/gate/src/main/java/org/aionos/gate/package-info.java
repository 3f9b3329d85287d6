/**
 * What the framework may load. It stands below the framework, in {@code lib/}: no bundle and no
 * command can take it away.
 */
@Version("1.0.0")
@NullMarked
package org.aionos.gate;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.versioning.Version;
