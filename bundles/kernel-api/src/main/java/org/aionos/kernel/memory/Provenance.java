package org.aionos.kernel.memory;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where an item comes from.
 *
 * @param writtenBy audit id of the call that last changed the content
 * @param tool whose result it is; null for none
 * @param sources what it was made of, as {@code <type>:<task>:<key>}
 * @param trust the lowest of all that it was made of
 */
public record Provenance(
    String writtenBy, @Nullable String tool, List<String> sources, Trust trust) {

  public Provenance {
    sources = List.copyOf(sources);
  }

  /** Written by the agent itself. */
  public static Provenance own(String writtenBy) {
    return new Provenance(writtenBy, null, List.of(), Trust.HIGH);
  }
}
