/** Measures the scheduling core, which has no public way in but its own package's. */
@NullMarked
package org.aionos.scheduling;

import org.jspecify.annotations.NullMarked;
