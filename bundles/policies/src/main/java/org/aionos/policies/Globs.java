package org.aionos.policies;

import java.util.Collection;
import java.util.List;

/** Names with {@code *} for any run of characters, as in {@code memory.*}. */
final class Globs {

  static final Globs ALL = new Globs(List.of("*"));

  private final List<String> globs;

  Globs(Collection<String> globs) {
    this.globs = List.copyOf(globs);
  }

  boolean match(String name) {
    for (String glob : globs) {
      if (matches(glob, name)) {
        return true;
      }
    }
    return false;
  }

  List<String> globs() {
    return globs;
  }

  /**
   * Whether one of these matches whatever the other glob matches. Sound, and as good as complete:
   * taken as a name, a star of the other is swallowed by none but a star.
   */
  boolean cover(String glob) {
    return match(glob);
  }

  // By hand, because agents write globs too, and a regular expression made of many stars takes
  // exponential time; this takes at most glob times name.
  private static boolean matches(String glob, String name) {
    int g = 0;
    int star = -1;
    int retry = 0;
    int n = 0;
    while (n < name.length()) {
      if (g < glob.length() && glob.charAt(g) == '*') {
        star = g++;
        retry = n;
      } else if (g < glob.length() && glob.charAt(g) == name.charAt(n)) {
        g++;
        n++;
      } else if (star >= 0) {
        g = star + 1;
        n = ++retry;
      } else {
        return false;
      }
    }
    while (g < glob.length() && glob.charAt(g) == '*') {
      g++;
    }
    return g == glob.length();
  }
}
