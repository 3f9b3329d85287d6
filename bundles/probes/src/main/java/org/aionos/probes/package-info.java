/**
 * Watches what tools of the process tier ask of Linux, by probes inside of it (eBPF). Whatever
 * happens here, tools run as they would without.
 */
@NullMarked
package org.aionos.probes;

import org.jspecify.annotations.NullMarked;
