/** Measures the running kernel from outside, beside a server that does nothing. */
@NullMarked
package org.aionos.bench;

import org.jspecify.annotations.NullMarked;
