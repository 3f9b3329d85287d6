package org.aionos.embedding;

import java.lang.Character.UnicodeScript;

/** In which script a text is written. */
final class Scripts {

  /** Looking further would not change the answer often, and texts may be long. */
  private static final int LOOKED_AT_MAX = 2_000;

  private Scripts() {}

  /** Whether more than half of the letters are Latin ones; a text without letters is not. */
  static boolean isMostlyLatin(String text) {
    int[] letters = text.codePoints().limit(LOOKED_AT_MAX).filter(Character::isLetter).toArray();
    int latin = 0;
    for (int letter : letters) {
      if (UnicodeScript.of(letter) == UnicodeScript.LATIN) {
        latin++;
      }
    }
    return latin * 2 > letters.length;
  }
}
