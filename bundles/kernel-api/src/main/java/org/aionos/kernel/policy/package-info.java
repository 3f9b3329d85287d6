/**
 * Versions of the policy, what they set beside capabilities, and the persons who are asked. The
 * policy bundle provides all of it.
 */
@Export
@Version("1.0.0")
@NullMarked
package org.aionos.kernel.policy;

import org.jspecify.annotations.NullMarked;
import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
