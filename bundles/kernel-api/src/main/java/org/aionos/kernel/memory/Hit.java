package org.aionos.kernel.memory;

import org.jspecify.annotations.Nullable;

/**
 * @param score the higher, the better; compares within one answer only
 * @param lexical score by words; null if it was not found by them
 * @param dense cosine similarity, mapped to 0 to 1; null likewise
 */
public record Hit(Item item, double score, @Nullable Float lexical, @Nullable Float dense) {}
