package org.aionos.memory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.items.ItemTexts;
import org.aionos.kernel.memory.Item;
import org.jspecify.annotations.Nullable;

/** Packs what was found into a text for a model, each piece with the number of its source. */
final class Packing {

  /**
   * Characters of a token, on the safe side: models that read English well take some four, and two
   * where the script is not Latin.
   */
  private static final double LATIN_CHARACTERS = 3.5;

  private static final double OTHER_CHARACTERS = 1.5;

  /** A piece that would be shorter is left out: it would not say anything. */
  private static final int PIECE_TOKENS_MIN = 10;

  private Packing() {}

  /**
   * The best first, as many as fit; the last one may be cut.
   *
   * @param tokensMax of the context, by estimate
   */
  static Map<String, @Nullable Object> pack(List<Distinct> hits, int tokensMax) {
    StringBuilder context = new StringBuilder();
    List<Map<String, @Nullable Object>> citations = new ArrayList<>();
    double left = tokensMax;
    for (Distinct hit : hits) {
      Item item = hit.best().item();
      String head = "[" + (citations.size() + 1) + "] ";
      String text = ItemTexts.of(item.content().value());
      if (text.isEmpty()) {
        continue;
      }
      double room = left - tokens(head) - 1;
      String piece = tokens(text) <= room ? text : cut(text, room);
      if (piece.isEmpty()) {
        break;
      }
      context.append(head).append(piece).append('\n');
      left -= tokens(head) + tokens(piece) + 1;
      citations.add(citation(citations.size() + 1, hit, piece.length() < text.length()));
    }
    Map<String, @Nullable Object> packed = new LinkedHashMap<>();
    packed.put("context", context.toString());
    packed.put("tokens", (int) Math.ceil(tokensMax - left));
    packed.put("citations", citations);
    return packed;
  }

  private static Map<String, @Nullable Object> citation(int number, Distinct hit, boolean cut) {
    Item item = hit.best().item();
    Map<String, @Nullable Object> citation = new LinkedHashMap<>();
    citation.put("number", number);
    citation.put("agent", item.place().agent().toString());
    citation.put("task", item.place().task());
    citation.put("key", item.place().key());
    citation.put("version", item.version());
    citation.put("trust", item.provenance().trust().word());
    citation.put("updated_at", item.updatedAt().toString());
    citation.put("score", hit.best().score());
    citation.put("cut", cut);
    return citation;
  }

  /** An estimate; the model that will read it counts by its own rules. */
  static double tokens(String text) {
    return text.codePoints()
        .mapToDouble(c -> 1 / (c < 0x250 ? LATIN_CHARACTERS : OTHER_CHARACTERS))
        .sum();
  }

  /** As much of the beginning as fits, up to the end of a word; nothing if that is too little. */
  private static String cut(String text, double room) {
    if (room < PIECE_TOKENS_MIN) {
      return "";
    }
    double tokens = 0;
    int end = 0;
    while (end < text.length()) {
      int c = text.codePointAt(end);
      tokens += 1 / (c < 0x250 ? LATIN_CHARACTERS : OTHER_CHARACTERS);
      if (tokens > room) {
        break;
      }
      end += Character.charCount(c);
    }
    int space = text.lastIndexOf(' ', end);
    return text.substring(0, space > end / 2 ? space : end);
  }
}
