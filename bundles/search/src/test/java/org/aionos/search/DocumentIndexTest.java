package org.aionos.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class DocumentIndexTest {

  private static final Search KERNEL = new Search("kernel", 8, null);
  private static final Page PAGE =
      new Page("kernel.md", "aion://docs/kernel.md", "Kernel", "The kernel decides.");

  private final List<DocumentIndex> opened = new ArrayList<>();

  @AfterEach
  void close() {
    opened.forEach(DocumentIndex::close);
  }

  private DocumentIndex over(Callable<List<Page>> pages) {
    DocumentIndex index = new DocumentIndex(pages);
    opened.add(index);
    return index;
  }

  @Test
  void reads_the_documents_once_and_not_before_somebody_searches() throws Exception {
    AtomicInteger reads = new AtomicInteger();
    DocumentIndex index =
        over(
            () -> {
              reads.incrementAndGet();
              return List.of(PAGE);
            });
    assertThat(reads).hasValue(0);

    assertThat(index.search(KERNEL))
        .containsExactly(new Found("Kernel", "aion://docs/kernel.md", "The kernel decides."));
    index.search(KERNEL);

    assertThat(reads).hasValue(1);
  }

  @Test
  void a_search_that_is_interrupted_does_not_take_the_index_with_it() throws Exception {
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch ready = new CountDownLatch(1);
    DocumentIndex index =
        over(
            () -> {
              reading.countDown();
              ready.await();
              return List.of(PAGE);
            });
    FutureTask<List<Found>> impatient = new FutureTask<>(() -> index.search(KERNEL));
    Thread thread = new Thread(impatient);
    thread.start();
    reading.await();

    thread.interrupt();
    assertThatThrownBy(impatient::get).hasCauseInstanceOf(InterruptedException.class);
    ready.countDown();

    assertThat(index.search(KERNEL)).hasSize(1);
  }

  @Test
  void documents_that_cannot_be_read_are_unavailable_and_their_place_is_not_told() {
    DocumentIndex index =
        over(
            () -> {
              throw new IOException("no folder /srv/secret");
            });

    assertThatThrownBy(() -> index.search(KERNEL))
        .hasMessageNotContaining("secret")
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> assertThat(refused.problem().code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE));
  }

  @Test
  void keeps_the_searches_of_many_threads_apart() throws Exception {
    List<Page> pages = new ArrayList<>();
    for (int number = 0; number < 16; number++) {
      pages.add(new Page(number + ".md", number + ".md", "Page", "about subject" + number));
    }
    DocumentIndex index = over(() -> pages);
    ExecutorService threads = Executors.newFixedThreadPool(16);
    try {
      List<Future<?>> searches = new ArrayList<>();
      for (int number = 0; number < 16; number++) {
        Search query = new Search("subject" + number, 8, null);
        String expected = number + ".md";
        searches.add(
            threads.submit(
                () -> {
                  for (int round = 0; round < 50; round++) {
                    assertThat(index.search(query)).extracting(Found::url).containsOnly(expected);
                  }
                  return null;
                }));
      }
      for (Future<?> search : searches) {
        search.get();
      }
    } finally {
      threads.shutdownNow();
    }
  }
}
