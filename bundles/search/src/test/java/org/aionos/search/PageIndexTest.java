package org.aionos.search;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Searches the documents that come with the kernel. */
class PageIndexTest {

  private static PageIndex index;

  @BeforeAll
  static void open() throws IOException {
    index = PageIndex.of(BundledPages.read());
  }

  @AfterAll
  static void close() throws IOException {
    index.close();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          AION-OS Kernel                                    | aion-os-kernel.md
          kernels                                           | aion-os-kernel.md
          how do agents make system calls?                  | agent-syscalls.md
          confused deputy                                   | capability-security.md
          hot deploying an OSGi bundle                      | osgi-hot-deploy.md
          Karaf                                             | apache-karaf.md
          agiresearch AIOS paper                            | aios-agiresearch.md
          tamper evident hash chain                         | audit-journal.md
          RAG                                               | retrieval-augmented-generation.md
          preempting a running task with a checkpoint       | preemptive-scheduling.md
          seccomp filter                                    | seccomp-sandbox.md
          X-Sig-HMAC replay nonce                           | hmac-signatures.md
          metasearch engine                                 | searxng.md
          MCP server                                        | model-context-protocol.md
          Kafka topic partitions                            | kafka-events.md
          automatic rollback of a policy                    | policy-rollback.md
          how to write a tool                               | tool-bundles.md
          budget reserve and settle                         | budgets-and-metering.md
          عامل هوشمند چیست                                  | fa-aamel-hooshmand.md
          زمان‌بندی در سیستم‌عامل                           | fa-sistem-amel.md
          سيستم عامل و زمان بندي                            | fa-sistem-amel.md
          زنجیرهٔ درهم‌سازی دفتر ممیزی                      | fa-sistem-amel.md
          """)
  void finds_the_best_document_first(String query, String file) throws IOException {
    Found first = search(query, 8, null).get(0);

    assertThat(first.url()).isEqualTo("aion://docs/" + file);
  }

  @Test
  void finds_persian_documents_by_their_latin_words_when_persian_is_asked_for() throws IOException {
    List<Found> items = search("AION-OS", 8, "fa-IR");

    assertThat(items)
        .extracting(Found::url)
        .containsExactlyInAnyOrder(
            "aion://docs/fa-aamel-hooshmand.md", "aion://docs/fa-sistem-amel.md");
  }

  @Test
  void searches_all_languages_when_it_does_not_know_the_one_asked_for() throws IOException {
    assertThat(search("kernel", 8, "de")).isNotEmpty();
  }

  @Test
  void returns_no_more_than_the_limit_and_nothing_for_what_is_nowhere() throws IOException {
    assertThat(search("agent", 3, null)).hasSize(3);
    assertThat(search("xylophone", 8, null)).isEmpty();
    assertThat(search("the of and", 8, null)).isEmpty();
    assertThat(search("+-&&||!(){}[]^\"~*?:\\/", 8, null)).isEmpty();
  }

  @Test
  void wants_a_third_of_the_words_of_a_long_query() throws IOException {
    assertThat(search("kernel xylophone zebra quagga okapi bongo dikdik", 8, null)).isEmpty();
  }

  @Test
  void quotes_the_sentence_that_holds_the_words() throws IOException {
    Found item = search("approximate HNSW graphs", 1, null).get(0);

    assertThat(item.snippet())
        .startsWith("Exact search compares the question with every vector")
        .contains("HNSW")
        .hasSizeLessThanOrEqualTo(320);
  }

  @Test
  void lists_every_document_of_its_folder_in_its_contents() throws Exception {
    Path folder = Path.of(PageIndexTest.class.getResource(BundledPages.FOLDER).toURI());
    try (Stream<Path> files = Files.list(folder)) {
      List<String> documents =
          files.map(file -> file.getFileName().toString()).filter(n -> n.endsWith(".md")).toList();

      assertThat(BundledPages.read()).extracting(Page::file).hasSameElementsAs(documents);
      assertThat(BundledPages.read())
          .extracting(Page::title)
          .doesNotContainAnyElementsOf(documents);
    }
  }

  private static List<Found> search(String text, int limit, String language) throws IOException {
    return index.search(new Search(text, limit, language));
  }
}
