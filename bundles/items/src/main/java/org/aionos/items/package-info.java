/**
 * What all stores of items share: how an item is written down, what may be done with it, and how
 * searches are fused. A private library.
 */
@NullMarked
package org.aionos.items;

import org.jspecify.annotations.NullMarked;
