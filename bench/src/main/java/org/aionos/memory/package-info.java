/** Reaches into the bundle of the same name, whose constructors are its own affair. */
@NullMarked
package org.aionos.memory;

import org.jspecify.annotations.NullMarked;
