/** How texts are cut into words, by language. Linked privately into who searches. */
@NullMarked
package org.aionos.words;

import org.jspecify.annotations.NullMarked;
