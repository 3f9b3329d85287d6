package org.aionos.items;

/**
 * What objects may be called: parts with {@code /} between, each of letters, digits, {@code . _ -}
 * and with no dot at its start. Such a name is safe as a path of files and in a URL.
 */
public final class ObjectNames {

  /** S3 takes 1,024 bytes. */
  private static final int LENGTH_MAX = 1_024;

  private ObjectNames() {}

  /**
   * @return the name
   * @throws IllegalArgumentException if it is none
   */
  public static String checked(String name) {
    if (name.length() > LENGTH_MAX || name.endsWith("/") || !isPrefix(name) || name.isEmpty()) {
      throw new IllegalArgumentException("not a name of an object: " + name);
    }
    return name;
  }

  /**
   * @return the prefix, which may end anywhere in a name
   * @throws IllegalArgumentException if no name can begin so
   */
  public static String checkedPrefix(String prefix) {
    if (prefix.length() > LENGTH_MAX || !isPrefix(prefix)) {
      throw new IllegalArgumentException("no object's name begins so: " + prefix);
    }
    return prefix;
  }

  private static boolean isPrefix(String text) {
    boolean starts = true;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean inside = c == '.' || c == '_' || c == '-' || c == '/';
      if (!isLetterOrDigit(c) && (starts || !inside)) {
        return false;
      }
      starts = c == '/';
    }
    return true;
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }
}
