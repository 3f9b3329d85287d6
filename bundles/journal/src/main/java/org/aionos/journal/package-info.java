/**
 * One append-only, hash-chained log for audit and events. Start reading at {@link
 * org.aionos.journal.JournalStore}; the format on disk is in {@code
 * docs/adr/0004-journal-format.md}.
 */
@NullMarked
package org.aionos.journal;

import org.jspecify.annotations.NullMarked;
