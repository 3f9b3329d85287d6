/** Tasks as every store keeps them. */
@NullMarked
package org.aionos.tasks;

import org.jspecify.annotations.NullMarked;
