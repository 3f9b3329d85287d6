/**
 * Files that a crash cannot tear, and folders that say when they change. Linked privately into each
 * bundle that uses it.
 */
@NullMarked
package org.aionos.files;

import org.jspecify.annotations.NullMarked;
