/** The operator's commands, {@code aion:*}. Exports nothing. */
@NullMarked
package org.aionos.shell;

import org.jspecify.annotations.NullMarked;
