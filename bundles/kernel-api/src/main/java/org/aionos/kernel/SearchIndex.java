package org.aionos.kernel;

import java.util.List;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Full-text search over the documents that the operator keeps on this host. Whoever calls has
 * checked the capability {@code network}: it stands in for the web.
 */
@ProviderType
public interface SearchIndex {

  /**
   * Finds documents, the best first. The first search may take a second longer.
   *
   * @throws Refused {@code UPSTREAM_UNAVAILABLE} if the documents cannot be read
   * @throws InterruptedException when the deadline passes
   */
  List<Found> search(Search query) throws InterruptedException;
}
