package org.aionos.backend.qdrant;

import io.qdrant.client.grpc.Points.SparseVector;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.words.Language;
import org.aionos.words.Stemming;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.StringHelper;

/**
 * Texts as sparse vectors, one number for each stem and gram, so that the product of a text's and a
 * question's is its score by BM25. How rare a term is Qdrant itself puts in (modifier IDF).
 */
final class WordVectors implements AutoCloseable {

  /** Of one item; nearly all texts have fewer. */
  private static final int TERMS_MAX = 10_000;

  private static final int ASKED_STEMS_MAX = 64;
  private static final int ASKED_GRAMS_MAX = 256;

  /** As in the embedded index: grams help where no word is the same, and must not outweigh one. */
  private static final float GRAMS_WEIGHT = 0.3f;

  /** BM25's own two numbers, as everybody has them. */
  private static final double SATURATION = 1.2;

  private static final double LENGTH_COUNTS = 0.75;

  /** Of a middling item: a vector is made when the others are not known. */
  private static final double STEMS_USUAL = 64;

  private static final double GRAMS_USUAL = 6 * STEMS_USUAL;

  private final Stemming stemming = new Stemming();

  /** Without any number for a text without words. */
  SparseVector of(String text) {
    Language language = Language.of(text);
    Map<String, Float> weights = new HashMap<>();
    weigh(weights, language.bodyField, stemming.stemCounts(language, text, TERMS_MAX), STEMS_USUAL);
    if (language == Language.ENGLISH) {
      weigh(weights, Stemming.GRAMS_FIELD, stemming.gramCounts(text, TERMS_MAX), GRAMS_USUAL);
    }
    return vector(weights);
  }

  private static void weigh(
      Map<String, Float> weights, String field, Map<String, Integer> counts, double usual) {
    double length = counts.values().stream().mapToInt(Integer::intValue).sum();
    double damping = SATURATION * (1 - LENGTH_COUNTS + LENGTH_COUNTS * length / usual);
    counts.forEach(
        (term, count) ->
            weights.put(
                named(field, term), (float) (count * (SATURATION + 1) / (count + damping))));
  }

  /** In each language that it may be meant in; a text of the one has no terms of the other. */
  SparseVector asked(String text) {
    Map<String, Float> weights = new HashMap<>();
    for (Language language : Language.values()) {
      stemming
          .stems(language, text, ASKED_STEMS_MAX)
          .forEach(stem -> weights.put(named(language.bodyField, stem), 1f));
    }
    stemming
        .grams(text, ASKED_GRAMS_MAX)
        .forEach(gram -> weights.put(named(Stemming.GRAMS_FIELD, gram), GRAMS_WEIGHT));
    return vector(weights);
  }

  private static String named(String field, String term) {
    return field + ":" + term;
  }

  /**
   * Terms that share a number are taken for one: some two of ten thousand do, once in a hundred.
   */
  private static SparseVector vector(Map<String, Float> weights) {
    Map<Integer, Float> numbers = new TreeMap<>();
    weights.forEach(
        (stem, weight) ->
            numbers.merge(
                StringHelper.murmurhash3_x86_32(new BytesRef(stem), 0), weight, Float::sum));
    return SparseVector.newBuilder()
        .addAllIndices(numbers.keySet())
        .addAllValues(numbers.values())
        .build();
  }

  @Override
  public void close() {
    stemming.close();
  }
}
