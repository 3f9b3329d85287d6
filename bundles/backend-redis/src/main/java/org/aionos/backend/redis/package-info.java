/** Short memory, tasks, and what the nodes of a cluster know together, in Redis. */
@NullMarked
package org.aionos.backend.redis;

import org.jspecify.annotations.NullMarked;
