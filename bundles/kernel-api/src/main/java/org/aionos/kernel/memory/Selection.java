package org.aionos.kernel.memory;

import org.aionos.kernel.AgentId;
import org.jspecify.annotations.Nullable;

/**
 * Whose items, which of them, and how many.
 *
 * @param after {@link Page#next} of the page before; null for the first
 */
public record Selection(AgentId agent, Filter filter, @Nullable String after, int limit) {}
