/**
 * Runs tasks: which one when, how it is interrupted, tried again and taken up after a crash, and
 * what it may use up. {@link org.aionos.scheduler.Dispatcher} is where all of it meets. Exports
 * nothing.
 */
@NullMarked
package org.aionos.scheduler;

import org.jspecify.annotations.NullMarked;
