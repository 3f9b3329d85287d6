/**
 * The wire: HTTP in, contracts on. {@link org.aionos.gateway.Gateway} owns the server, {@link
 * org.aionos.gateway.Routes} says which path is served by what. Stays up while the kernel behind it
 * is swapped. Exports nothing.
 */
@NullMarked
package org.aionos.gateway;

import org.jspecify.annotations.NullMarked;
