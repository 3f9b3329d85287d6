/**
 * The egress broker: the one way out to the network. It speaks HTTP and TLS itself, so that host,
 * method and path of each request are what its rules say. Exports nothing.
 */
@NullMarked
package org.aionos.egress;

import org.jspecify.annotations.NullMarked;
