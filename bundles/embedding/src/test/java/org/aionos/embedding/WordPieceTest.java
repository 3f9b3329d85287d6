package org.aionos.embedding;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import org.aionos.document.InvalidDocument;
import org.junit.jupiter.api.Test;

/** The expected numbers are those of BertTokenizer with the vocabulary of bert-base-uncased. */
final class WordPieceTest {

  private static WordPiece pieces() throws IOException, InvalidDocument {
    try (InputStream in =
        WordPieceTest.class.getResourceAsStream("/bge-small-en-v1.5-q-tokenizer.json")) {
      return WordPiece.read(in.readAllBytes());
    }
  }

  @Test
  void cuts_words_marks_and_accents_as_the_original_does() throws Exception {
    assertThat(pieces().ids("Hello, world!", 64)).containsExactly(101, 7592, 1010, 2088, 999, 102);
    assertThat(pieces().ids("  Café\tau\nLAIT ", 64)).startsWith(101, 7668).endsWith(102);
    assertThat(pieces().ids("embeddings", 64)).containsExactly(101, 7861, 8270, 4667, 2015, 102);
    assertThat(pieces().ids("", 64)).containsExactly(101, 102);
  }

  @Test
  void what_it_does_not_know_is_one_unknown_piece_and_nothing_is_longer_than_wanted()
      throws Exception {
    assertThat(pieces().ids("x".repeat(101), 64)).containsExactly(101, 100, 102);
    assertThat(pieces().ids("🚀", 64)).containsExactly(101, 100, 102);
    assertThat(pieces().ids("one two three four", 4)).hasSize(4).endsWith(102);
    assertThat(pieces().ids("\ud800 \u0000 \ufffd", 64)).containsExactly(101, 102);
  }

  @Test
  void another_kind_of_tokenizer_is_refused() {
    String unigram = "{\"model\":{\"type\":\"Unigram\",\"vocab\":{}}}";
    assertThatThrownBy(() -> WordPiece.read(unigram.getBytes(UTF_8)))
        .isInstanceOf(InvalidDocument.class)
        .hasMessageContaining("WordPiece models only");
  }
}
