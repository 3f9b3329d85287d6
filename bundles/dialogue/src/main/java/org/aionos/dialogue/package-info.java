/**
 * What the kernel and a tool that is no Java class say to each other, whatever carries it: one JSON
 * object each for a call, its answer, an effect and its result. Linked privately into each tier.
 */
@NullMarked
package org.aionos.dialogue;

import org.jspecify.annotations.NullMarked;
