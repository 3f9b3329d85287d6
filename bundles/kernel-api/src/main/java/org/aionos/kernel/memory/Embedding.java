package org.aionos.kernel.memory;

/**
 * What an {@link Embedder} made of a text.
 *
 * @param model {@link Embedder#identity}: vectors of two models do not compare
 */
public record Embedding(String model, Vector vector) {}
