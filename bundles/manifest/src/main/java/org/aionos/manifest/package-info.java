/** Reads agent.yml and tool.yml. Linked privately into each bundle that does. */
@NullMarked
package org.aionos.manifest;

import org.jspecify.annotations.NullMarked;
