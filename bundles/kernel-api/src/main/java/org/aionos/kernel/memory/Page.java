package org.aionos.kernel.memory;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * @param next where to go on; null at the end. A page may be short, even empty, and still have one
 */
public record Page(List<Item> items, @Nullable String next) {}
