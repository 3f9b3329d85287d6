/**
 * The spine: {@link org.aionos.router.Router} reads top to bottom as the life of a syscall, {@link
 * org.aionos.router.ToolTable} knows which tools are installed, {@link
 * org.aionos.router.HandlerTable} who serves which syscall. Exports nothing.
 */
@NullMarked
package org.aionos.router;

import org.jspecify.annotations.NullMarked;
