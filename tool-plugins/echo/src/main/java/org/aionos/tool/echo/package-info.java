/** The smallest whole tool: copy this bundle to begin another. */
@NullMarked
package org.aionos.tool.echo;

import org.jspecify.annotations.NullMarked;
