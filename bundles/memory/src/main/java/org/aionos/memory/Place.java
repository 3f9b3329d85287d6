package org.aionos.memory;

import org.aionos.kernel.AgentId;

/**
 * Where an item is. Two items of one place are one item.
 *
 * @param task empty for none
 * @param key no control characters
 */
record Place(AgentId agent, String task, String key) {}
