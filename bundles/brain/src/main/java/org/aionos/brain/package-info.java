/**
 * Thinks of better versions of the policy: by playing the recorded load, or by asking a model, and
 * lets nothing of it pass that would give anybody more. Begin with {@code GuardRails}. Exports
 * nothing.
 */
@NullMarked
package org.aionos.brain;

import org.jspecify.annotations.NullMarked;
