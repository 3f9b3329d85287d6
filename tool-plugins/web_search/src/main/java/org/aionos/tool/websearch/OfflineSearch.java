package org.aionos.tool.websearch;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.aionos.tool.ToolFailure;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The offline index, built on a thread of its own: loading Lucene takes longer than a component's
 * activation should. A search before it is ready waits for it, until the caller is interrupted.
 */
final class OfflineSearch implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(OfflineSearch.class);

  private final FutureTask<PageIndex> building;

  OfflineSearch(Callable<List<Page>> pages) {
    this.building = new FutureTask<>(() -> build(pages));
  }

  void begin() {
    Thread thread = new Thread(building, "web_search-index");
    thread.setDaemon(true);
    thread.start();
  }

  List<SearchItem> search(SearchRequest request) throws ToolFailure, InterruptedException {
    try {
      return building.get().search(request);
    } catch (ExecutionException | IOException | CancellationException broken) {
      throw new ToolFailure(
          ToolFailure.Code.UPSTREAM_UNAVAILABLE,
          "no search is available: the offline documents cannot be read; the operator's log says"
              + " why");
    }
  }

  @Override
  public void close() {
    // An index still being built holds nothing but memory: it may finish, and is then forgotten.
    if (building.cancel(false)) {
      return;
    }
    try {
      building.get().close();
    } catch (ExecutionException | IOException | InterruptedException nothingToClose) {
      log.debug("offline index was not open", nothingToClose);
    }
  }

  private static PageIndex build(Callable<List<Page>> pages) throws Exception {
    try {
      return PageIndex.of(pages.call());
    } catch (Exception | LinkageError broken) {
      log.error("offline index failed: no offline search until the tool is restarted", broken);
      throw broken;
    }
  }
}
