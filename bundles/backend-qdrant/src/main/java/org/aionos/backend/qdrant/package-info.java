/** Long memory in Qdrant. */
@NullMarked
package org.aionos.backend.qdrant;

import org.jspecify.annotations.NullMarked;
