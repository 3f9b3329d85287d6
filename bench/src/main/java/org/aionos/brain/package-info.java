/** What the Brain makes of a bad policy. */
@NullMarked
package org.aionos.brain;

import org.jspecify.annotations.NullMarked;
