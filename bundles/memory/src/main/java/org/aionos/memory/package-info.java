/** What agents remember: items under keys, of one agent each, for a time. */
@NullMarked
package org.aionos.memory;

import org.jspecify.annotations.NullMarked;
