/** How a bundle gets the driver of a server that its configuration names. */
@NullMarked
package org.aionos.drivers;

import org.jspecify.annotations.NullMarked;
