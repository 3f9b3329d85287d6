/**
 * Which agents there are and how they fare. {@link org.aionos.process.StoredProcessTable} keeps the
 * table, {@link org.aionos.process.AgentFolder} registers the agents that stand in files. Exports
 * nothing.
 */
@NullMarked
package org.aionos.process;

import org.jspecify.annotations.NullMarked;
