/**
 * A server that speaks OpenAI's HTTP as Ollama and vLLM do, answers the same to the same, and
 * misbehaves on request. For tests, the demo and the bench; no part of the kernel.
 */
@NullMarked
package org.aionos.modelserver;

import org.jspecify.annotations.NullMarked;
