/**
 * Turns {@code config/*.yaml} and the environment into the typed configuration of the kernel's
 * bundles. Exports nothing.
 */
@NullMarked
package org.aionos.config;

import org.jspecify.annotations.NullMarked;
