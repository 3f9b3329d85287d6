/**
 * Models behind OpenAI-compatible HTTP: {@link org.aionos.model.ModelGenerate} and {@link
 * org.aionos.model.ModelEmbed} serve agents, {@link org.aionos.model.ConfiguredModels} the kernel
 * itself. Begin reading at {@link org.aionos.model.Asking}. Exports nothing.
 */
@NullMarked
package org.aionos.model;

import org.jspecify.annotations.NullMarked;
