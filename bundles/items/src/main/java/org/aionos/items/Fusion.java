package org.aionos.items;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Probe;

/**
 * Makes one list of what was found by words and what was found by vectors.
 *
 * @param <K> names what was found
 */
public final class Fusion<K> {

  private static final int OVERSAMPLING = 5;
  private static final int ASKED_MIN = 50;

  /**
   * @param score the higher, the better; compares within one list only
   */
  public record Found<K>(K id, float score) {}

  private final Map<K, Float> lexical;
  private final Map<K, Float> dense = new HashMap<>();
  private final Map<K, Double> ranked = new LinkedHashMap<>();

  private Fusion(List<Found<K>> lexical, List<List<Found<K>>> dense) {
    this.lexical = scores(lexical);
    dense.forEach(list -> this.dense.putAll(scores(list)));
    if (dense.isEmpty()) {
      lexical.forEach(found -> ranked.put(found.id(), (double) found.score()));
    } else if (lexical.isEmpty() && dense.size() == 1) {
      dense.get(0).forEach(found -> ranked.put(found.id(), (double) found.score()));
    } else {
      rank(lexical, 0);
      dense.forEach(list -> rank(list, list.isEmpty() ? 0 : list.get(list.size() - 1).score()));
    }
  }

  /**
   * How many to ask of each list for {@code k} in the end. Asking for more finds better: in a graph
   * of vectors 0.998 of the exact neighbours instead of 0.90; and scores are made comparable over a
   * list, which must not be too short for that.
   */
  public static int asked(int k) {
    return Math.max(ASKED_MIN, k * OVERSAMPLING);
  }

  /**
   * The best of all lists; each list is ordered, the best first. Scores of different lists do not
   * compare, so each is brought to 0 to 1 (by words: of the best; dense: from the last to the best
   * of the list) and added up: a convex combination, which Bruch, Gai and Ingber 2023 found better
   * than fusing ranks.
   *
   * @param read the item, if it is there and admitted
   */
  public static <K> List<Hit> best(
      List<Found<K>> lexical,
      List<List<Found<K>>> dense,
      Function<K, Optional<Item>> read,
      Probe probe,
      Instant now) {
    return new Fusion<>(lexical, dense).hits(read, probe, now);
  }

  private List<Hit> hits(Function<K, Optional<Item>> read, Probe probe, Instant now) {
    boolean boosted = !probe.boosts().equals(Probe.Boosts.NONE);
    List<Hit> hits = new ArrayList<>();
    for (Map.Entry<K, Double> each : bestFirst()) {
      if (hits.size() == probe.k() && !boosted) {
        break;
      }
      K id = each.getKey();
      read.apply(id)
          .ifPresent(
              item ->
                  hits.add(
                      new Hit(
                          item,
                          each.getValue() * boost(item, probe.boosts(), now),
                          lexical.get(id),
                          dense.get(id))));
    }
    if (boosted) {
      hits.sort(Comparator.comparingDouble(Hit::score).reversed());
    }
    return List.copyOf(hits.subList(0, Math.min(hits.size(), probe.k())));
  }

  private static double boost(Item item, Probe.Boosts boosts, Instant now) {
    double age = Math.max(0, Duration.between(item.updatedAt(), now).toMillis());
    double recency = boosts.recency() * Math.pow(2, -age / boosts.halfLife().toMillis());
    return (1 + recency) * (item.pinned() ? 1 + boosts.pin() : 1);
  }

  private List<Map.Entry<K, Double>> bestFirst() {
    return ranked.entrySet().stream()
        .sorted(Map.Entry.<K, Double>comparingByValue().reversed())
        .toList();
  }

  private static <K> Map<K, Float> scores(List<Found<K>> list) {
    Map<K, Float> scores = new HashMap<>();
    list.forEach(found -> scores.put(found.id(), found.score()));
    return scores;
  }

  private void rank(List<Found<K>> list, float lowest) {
    for (Found<K> found : list) {
      float span = list.get(0).score() - lowest;
      double score = span > 0 ? (found.score() - lowest) / span : 1;
      ranked.merge(found.id(), score, Double::sum);
    }
  }
}
