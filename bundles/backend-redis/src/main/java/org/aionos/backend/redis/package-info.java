/** Short memory in Redis. */
@NullMarked
package org.aionos.backend.redis;

import org.jspecify.annotations.NullMarked;
