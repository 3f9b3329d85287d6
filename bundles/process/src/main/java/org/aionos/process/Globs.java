package org.aionos.process;

import java.util.Collection;

/** Syscall names with {@code *} for any run of characters, as in {@code memory.*}. */
final class Globs {

  private Globs() {}

  /** Whether one of these patterns covers every name that the other pattern stands for. */
  static boolean cover(Collection<String> patterns, String pattern) {
    for (String each : patterns) {
      if (covers(each, pattern)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Whether every name that {@code narrow} matches is matched by {@code wide} too.
   *
   * <p>That is so exactly when {@code wide} matches {@code narrow} letter by letter: a star there
   * can only fall under a star here, and whatever it stands for then falls under it as well. Goes
   * back to the last star only, so the time is bounded by the product of the lengths.
   */
  static boolean covers(String wide, String narrow) {
    int w = 0;
    int n = 0;
    int star = -1;
    int resume = 0;
    while (n < narrow.length()) {
      if (w < wide.length() && wide.charAt(w) == '*') {
        star = w++;
        resume = n;
      } else if (w < wide.length() && wide.charAt(w) == narrow.charAt(n)) {
        w++;
        n++;
      } else if (star >= 0) {
        w = star + 1;
        n = ++resume;
      } else {
        return false;
      }
    }
    while (w < wide.length() && wide.charAt(w) == '*') {
      w++;
    }
    return w == wide.length();
  }
}
