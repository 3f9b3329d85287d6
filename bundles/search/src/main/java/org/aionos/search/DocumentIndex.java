package org.aionos.search;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SearchIndex;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The index of this host's documents, built at the first search: a kernel that nobody searches pays
 * nothing for it. Built on a thread of its own, since a search that is interrupted, or given up,
 * must not take the index with it; a search before it is ready waits for it.
 */
@Component(
    configurationPid = "org.aionos.search",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = SearchConfig.class)
public final class DocumentIndex implements SearchIndex {

  private static final Logger log = LoggerFactory.getLogger(DocumentIndex.class);

  private final FutureTask<PageIndex> building;
  private final AtomicBoolean begun = new AtomicBoolean();

  @Activate
  public DocumentIndex(SearchConfig config) {
    this(
        config.documentsDir().isBlank()
            ? BundledPages::read
            : () -> FolderPages.read(Path.of(config.documentsDir().strip())));
  }

  DocumentIndex(Callable<List<Page>> pages) {
    this.building = new FutureTask<>(() -> build(pages));
  }

  @Override
  public List<Found> search(Search query) throws InterruptedException {
    if (begun.compareAndSet(false, true)) {
      begin();
    }
    try {
      return building.get().search(query);
    } catch (ExecutionException | IOException | CancellationException broken) {
      throw new Refused(
          Code.UPSTREAM_UNAVAILABLE,
          "no search is available: the documents cannot be read; the kernel's log says why");
    }
  }

  private void begin() {
    Thread thread = new Thread(building, "aion-search-index");
    thread.setDaemon(true);
    thread.start();
  }

  @Deactivate
  void close() {
    // An index still being built holds nothing but memory: it may finish, and is then forgotten.
    if (building.cancel(false)) {
      return;
    }
    try {
      building.get().close();
    } catch (ExecutionException | IOException | InterruptedException nothingToClose) {
      log.debug("index was not open", nothingToClose);
    }
  }

  private static PageIndex build(Callable<List<Page>> pages) throws Exception {
    try {
      return PageIndex.of(pages.call());
    } catch (Exception | LinkageError broken) {
      log.error("index failed: no search until the section search is changed", broken);
      throw broken;
    }
  }
}
