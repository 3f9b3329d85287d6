/**
 * Rules in, decisions out. {@link org.aionos.policy.VersionedPolicy} decides by the version in
 * force; {@link org.aionos.policy.Switches} says which one that is. Exports nothing.
 */
@NullMarked
package org.aionos.policy;

import org.jspecify.annotations.NullMarked;
