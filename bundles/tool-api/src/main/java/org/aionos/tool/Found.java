package org.aionos.tool;

import static java.util.Objects.requireNonNull;

/**
 * A document that a search found.
 *
 * @param title on one line
 * @param url what may be cited; of a document of this host its path, or {@code aion://docs/} and it
 * @param snippet the part that answers best, on one line
 */
public record Found(String title, String url, String snippet) {

  public Found {
    requireNonNull(title, "title");
    requireNonNull(url, "url");
    requireNonNull(snippet, "snippet");
  }
}
