/** What JSON values must look like, checked in bounded time. Linked privately into who checks. */
@NullMarked
package org.aionos.schemas;

import org.jspecify.annotations.NullMarked;
