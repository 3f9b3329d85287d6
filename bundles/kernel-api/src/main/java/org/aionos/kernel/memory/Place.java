package org.aionos.kernel.memory;

import org.aionos.kernel.AgentId;

/**
 * Where an item is. Two items of one place are one item.
 *
 * @param task empty for none; no control characters
 * @param key not empty; no control characters
 */
public record Place(AgentId agent, String task, String key) {}
