package org.aionos.memory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.items.ItemTexts;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;

/**
 * What was found, without what says the same again.
 *
 * @param best the hit with the highest score
 * @param others keys of further items with the same texts
 */
record Distinct(Hit best, List<String> others) {

  /**
   * @param hits the best first
   */
  static List<Distinct> of(List<Hit> hits, int k) {
    Map<Object, Distinct> byContent = new LinkedHashMap<>();
    for (Hit hit : hits) {
      Object content = content(hit.item());
      Distinct known = byContent.get(content);
      if (known != null) {
        known.others.add(hit.item().place().key());
      } else if (byContent.size() < k) {
        byContent.put(content, new Distinct(hit, new ArrayList<>()));
      }
    }
    return List.copyOf(byContent.values());
  }

  /** Items that say nothing differ by what they are named. */
  private static Object content(Item item) {
    String text = ItemTexts.of(item.content().value());
    return text.isEmpty() ? item.place() : text;
  }
}
