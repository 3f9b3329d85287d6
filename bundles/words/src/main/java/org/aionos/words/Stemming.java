package org.aionos.words;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.fa.PersianAnalyzer;
import org.apache.lucene.analysis.miscellaneous.PerFieldAnalyzerWrapper;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/**
 * Cuts texts into words and reduces these to stems, by language. Latin words survive the Persian
 * way too. Any thread may use it; it keeps a buffer for each until it is closed.
 */
public final class Stemming implements AutoCloseable {

  /** Of an index: pieces of English stems, so that words of one family find each other. */
  public static final String GRAMS_FIELD = "grams_en";

  private final Analyzer english = new EnglishAnalyzer();
  private final Analyzer persian = new PersianAnalyzer();
  private final Analyzer englishGrams = new GramAnalyzer(english);

  /** The distinct stems of a text, in order, at most so many. */
  public Set<String> stems(Language language, String text, int stemsMax) {
    return distinct(of(language), text, stemsMax);
  }

  /** The distinct grams of the English stems of a text, in order, at most so many. */
  public Set<String> grams(String text, int gramsMax) {
    return distinct(englishGrams, text, gramsMax);
  }

  /** How often each stem stands in a text; of the first ones, at most so many. */
  public Map<String, Integer> stemCounts(Language language, String text, int stemsMax) {
    return counts(of(language), text, stemsMax);
  }

  /** The same of the grams of its English stems. */
  public Map<String, Integer> gramCounts(String text, int gramsMax) {
    return counts(englishGrams, text, gramsMax);
  }

  private static Set<String> distinct(Analyzer analyzer, String text, int max) {
    Set<String> terms = new LinkedHashSet<>();
    read(
        analyzer,
        text,
        term -> {
          terms.add(term);
          return terms.size() < max;
        });
    return terms;
  }

  private static Map<String, Integer> counts(Analyzer analyzer, String text, int max) {
    Map<String, Integer> counts = new LinkedHashMap<>();
    read(
        analyzer,
        text,
        term -> {
          if (counts.size() < max || counts.containsKey(term)) {
            counts.merge(term, 1, Integer::sum);
          }
          return true;
        });
    return counts;
  }

  /**
   * @param reader of each term; says whether it wants more
   */
  private static void read(Analyzer analyzer, String text, Predicate<String> reader) {
    try (TokenStream tokens = analyzer.tokenStream(Language.ENGLISH.bodyField, text)) {
      CharTermAttribute term = tokens.addAttribute(CharTermAttribute.class);
      tokens.reset();
      while (tokens.incrementToken() && reader.test(term.toString())) {
        continue;
      }
      tokens.end();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /** What an index writer needs: the analyzer of each field. */
  public Analyzer byField() {
    Map<String, Analyzer> fields = new HashMap<>();
    for (Language language : Language.values()) {
      fields.put(language.titleField, of(language));
      fields.put(language.bodyField, of(language));
    }
    fields.put(GRAMS_FIELD, englishGrams);
    return new PerFieldAnalyzerWrapper(english, fields);
  }

  // Else the buffers would hang, as thread locals, on threads that outlive the bundle.
  @Override
  public void close() {
    englishGrams.close();
    english.close();
    persian.close();
  }

  private Analyzer of(Language language) {
    return switch (language) {
      case ENGLISH -> english;
      case PERSIAN -> persian;
    };
  }
}
