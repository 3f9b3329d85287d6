package org.aionos.policy;

import java.util.Collection;
import java.util.List;
import java.util.regex.Pattern;

/** Names with {@code *} for any run of characters, as in {@code memory.*}. */
final class Globs {

  static final Globs ALL = new Globs(List.of("*"));

  private final List<Pattern> patterns;

  Globs(Collection<String> globs) {
    this.patterns = globs.stream().map(Globs::pattern).toList();
  }

  boolean match(String name) {
    for (Pattern pattern : patterns) {
      if (pattern.matcher(name).matches()) {
        return true;
      }
    }
    return false;
  }

  private static Pattern pattern(String glob) {
    return Pattern.compile("\\Q" + glob.replace("\\E", "").replace("*", "\\E.*\\Q") + "\\E");
  }
}
