/** Counts, for Prometheus. Exports nothing. */
@NullMarked
package org.aionos.telemetry;

import org.jspecify.annotations.NullMarked;
