/**
 * The wasm tier: tools compiled to WebAssembly, run inside this process without any authority of
 * their own. Exports nothing.
 */
@NullMarked
package org.aionos.wasm;

import org.jspecify.annotations.NullMarked;
