package org.aionos.embedding;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;

/**
 * Cuts texts into the pieces of words that BERT models know, as Devlin et al. 2019 describe and
 * {@code BertTokenizer} does: basic tokens first, then the longest piece of the vocabulary, again
 * and again.
 */
final class WordPiece {

  /** A longer word is not looked up, as in the original. */
  private static final int WORD_LENGTH_MAX = 100;

  private final Map<String, Integer> vocabulary;
  private final boolean lowerCase;
  private final long start;
  private final long end;
  private final long unknown;

  private WordPiece(Map<String, Integer> vocabulary, boolean lowerCase) throws InvalidDocument {
    this.vocabulary = vocabulary;
    this.lowerCase = lowerCase;
    this.start = special("[CLS]");
    this.end = special("[SEP]");
    this.unknown = special("[UNK]");
  }

  private long special(String piece) throws InvalidDocument {
    Integer id = vocabulary.get(piece);
    if (id == null) {
      throw new InvalidDocument(InvalidDocument.Fault.MISSING, "/model/vocab", "has no " + piece);
    }
    return id;
  }

  /**
   * Reads a {@code tokenizer.json}, as models are published with.
   *
   * @throws InvalidDocument if it is not one, or of another kind than WordPiece
   */
  static WordPiece read(byte[] tokenizerJson) throws InvalidDocument {
    Fields root = Documents.json(tokenizerJson);
    Fields model = root.object("model");
    String kind = model.text("type", "WordPiece");
    if (!kind.equals("WordPiece")) {
      throw model.invalid(
          "type", "is " + kind + "; the kernel cuts texts for WordPiece models only");
    }
    Map<String, Integer> vocabulary = new HashMap<>();
    for (Map.Entry<String, ?> piece : model.object("vocab").values().entrySet()) {
      if (piece.getValue() instanceof Number id) {
        vocabulary.put(piece.getKey(), id.intValue());
      }
    }
    return new WordPiece(vocabulary, root.objectOrEmpty("normalizer").flag("lowercase", true));
  }

  /** The pieces of a text by number, begun and ended as the model wants; at most so many. */
  long[] ids(String text, int max) {
    List<Long> ids = new ArrayList<>();
    ids.add(start);
    StringBuilder word = new StringBuilder();
    int[] characters = normalized(text).codePoints().toArray();
    for (int i = 0; i <= characters.length && ids.size() < max; i++) {
      int c = i < characters.length ? characters[i] : ' ';
      boolean space = Character.isWhitespace(c);
      if (!space && !isPunctuation(c)) {
        word.appendCodePoint(c);
        continue;
      }
      addPieces(word.toString(), ids);
      word.setLength(0);
      if (!space) {
        addPieces(Character.toString(c), ids);
      }
    }
    List<Long> kept = ids.subList(0, Math.min(ids.size(), max - 1));
    long[] cut = new long[kept.size() + 1];
    for (int i = 0; i < kept.size(); i++) {
      cut[i] = kept.get(i);
    }
    cut[kept.size()] = end;
    return cut;
  }

  private String normalized(String text) {
    StringBuilder clean = new StringBuilder();
    text.codePoints().forEach(c -> addClean(c, clean));
    if (!lowerCase) {
      return clean.toString();
    }
    StringBuilder bare = new StringBuilder();
    Normalizer.normalize(clean, Normalizer.Form.NFD)
        .codePoints()
        .filter(c -> Character.getType(c) != Character.NON_SPACING_MARK)
        .forEach(bare::appendCodePoint);
    return bare.toString().toLowerCase(Locale.ROOT);
  }

  private static void addClean(int c, StringBuilder clean) {
    int type = Character.getType(c);
    if (c == '\t' || c == '\n' || c == '\r' || type == Character.SPACE_SEPARATOR) {
      clean.append(' ');
    } else if (c == 0xFFFD
        || type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.PRIVATE_USE
        || type == Character.SURROGATE
        || type == Character.UNASSIGNED) {
      return;
    } else if (Character.isIdeographic(c)) {
      clean.append(' ').appendCodePoint(c).append(' ');
    } else {
      clean.appendCodePoint(c);
    }
  }

  private static boolean isPunctuation(int c) {
    if ((c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`')) {
      return true;
    }
    if (c >= '{' && c <= '~') {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  private void addPieces(String word, List<Long> ids) {
    if (word.isEmpty()) {
      return;
    }
    List<Long> pieces = new ArrayList<>();
    for (int from = 0; from < word.length(); ) {
      int until = word.length();
      Integer id = null;
      while (from < until && id == null) {
        id = vocabulary.get((from > 0 ? "##" : "") + word.substring(from, until--));
      }
      if (id == null || word.length() > WORD_LENGTH_MAX) {
        ids.add(unknown);
        return;
      }
      pieces.add((long) id);
      from = until + 1;
    }
    ids.addAll(pieces);
  }
}
