/** Makes vectors of texts, by a model that comes with the kernel, one of yours, or a server. */
@NullMarked
package org.aionos.embedding;

import org.jspecify.annotations.NullMarked;
