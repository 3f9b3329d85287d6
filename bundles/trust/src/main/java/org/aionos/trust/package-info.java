/**
 * Decides which tool jars may run, and installs them from the very bytes it checked. Exports
 * nothing.
 */
@NullMarked
package org.aionos.trust;

import org.jspecify.annotations.NullMarked;
