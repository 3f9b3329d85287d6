package org.aionos.words;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A language whose words we know. In an index each has fields of its own, since each cuts words its
 * way.
 */
public enum Language {
  ENGLISH("en"),
  PERSIAN("fa");

  /** Of an index; its name. */
  public final String titleField;

  /** Likewise. */
  public final String bodyField;

  private final String tag;

  Language(String tag) {
    this.tag = tag;
    this.titleField = "title_" + tag;
    this.bodyField = "body_" + tag;
  }

  /** The language of a text, by its script. */
  public static Language of(String text) {
    long arabic = letters(text, Character.UnicodeScript.ARABIC);
    return arabic > letters(text, Character.UnicodeScript.LATIN) ? PERSIAN : ENGLISH;
  }

  /** The languages to search for a tag: the one it names, or all if it names none we know. */
  public static List<Language> taggedWith(@Nullable String wanted) {
    for (Language language : values()) {
      if (wanted != null && wanted.toLowerCase(Locale.ROOT).split("-", 2)[0].equals(language.tag)) {
        return List.of(language);
      }
    }
    return List.of(values());
  }

  private static long letters(String text, Character.UnicodeScript script) {
    return text.codePoints()
        .filter(Character::isLetter)
        .filter(letter -> Character.UnicodeScript.of(letter) == script)
        .count();
  }
}
