/**
 * Whole versions of the policy: what one says ({@link org.aionos.policies.PolicyDocument}), how two
 * differ, and what one grants more than another ({@link org.aionos.policies.Widening}). Without
 * clock, file or service; linked privately into each bundle that uses it.
 */
@NullMarked
package org.aionos.policies;

import org.jspecify.annotations.NullMarked;
