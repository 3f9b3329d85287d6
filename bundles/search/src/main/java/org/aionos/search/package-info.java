/**
 * Full-text search over the documents that the operator keeps on this host. It stands in for the
 * web where there is none. Exports nothing.
 */
@NullMarked
package org.aionos.search;

import org.jspecify.annotations.NullMarked;
