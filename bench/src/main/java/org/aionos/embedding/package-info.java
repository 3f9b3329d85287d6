/** Opens the embedder as the kernel does. */
@NullMarked
package org.aionos.embedding;

import org.jspecify.annotations.NullMarked;
