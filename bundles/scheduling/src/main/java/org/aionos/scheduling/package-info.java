/**
 * Which task runs when, and what may be used up, decided without clock, thread or I/O: time comes
 * in, decisions go out. So a whole life of it can be played through in a test, and played again
 * from its seed. A private library.
 */
@NullMarked
package org.aionos.scheduling;

import org.jspecify.annotations.NullMarked;
