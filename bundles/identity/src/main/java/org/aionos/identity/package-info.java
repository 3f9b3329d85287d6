/** Tenants, keys and tokens: who is calling, and the proof of it. */
@NullMarked
package org.aionos.identity;

import org.jspecify.annotations.NullMarked;
