package org.aionos.search;

import java.text.BreakIterator;
import java.util.Locale;
import java.util.Set;
import org.aionos.words.Language;
import org.aionos.words.Stemming;

/** Finds the part of a text that answers best: from the sentence with most of the words asked. */
final class Snippets {

  private static final int CHARS_MAX = 320;

  /** Operators keep long documents too; of these the beginning must do. */
  private static final int TEXT_CHARS_MAX = 20_000;

  private static final int SENTENCE_STEMS_MAX = 200;

  private final Stemming stemming;
  private final Language language;

  Snippets(Stemming stemming, Language language) {
    this.stemming = stemming;
    this.language = language;
  }

  String of(String text, Set<String> asked) {
    String beginning = text.substring(0, Math.min(text.length(), TEXT_CHARS_MAX));
    int start = bestSentence(beginning, asked);
    // Twice as much as is shown leaves room for the line breaks and blanks that are joined.
    int end = Math.min(beginning.length(), start + 2 * CHARS_MAX);
    return PlainText.oneLine(beginning.substring(start, end), CHARS_MAX);
  }

  private int bestSentence(String text, Set<String> asked) {
    BreakIterator sentences = BreakIterator.getSentenceInstance(Locale.ROOT);
    sentences.setText(text);
    int best = 0;
    long most = 0;
    int start = sentences.first();
    for (int end = sentences.next(); end != BreakIterator.DONE; end = sentences.next()) {
      long held = held(text.substring(start, end), asked);
      if (held > most) {
        most = held;
        best = start;
      }
      start = end;
    }
    return best;
  }

  private long held(String sentence, Set<String> asked) {
    return stemming.stems(language, sentence, SENTENCE_STEMS_MAX).stream()
        .filter(asked::contains)
        .count();
  }
}
