/** Tasks in RocksDB, for a kernel that is alone. */
@NullMarked
package org.aionos.tasks.rocks;

import org.jspecify.annotations.NullMarked;
