package org.aionos.kernel;

/**
 * Names one agent of one tenant; written {@code agent://tenantA/researcher-1}. Both names are safe
 * as a file name and a key segment.
 */
public record AgentId(String tenant, String name) {

  private static final String SCHEME = "agent://";
  private static final String NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,62}";
  private static final int NAME_LENGTH_MAX = 63;

  public AgentId {
    if (!isName(tenant) || !isName(name)) {
      throw new IllegalArgumentException(
          "tenant and agent names must match " + NAME + ", in agent://<tenant>/<agent>");
    }
  }

  /** Whether a text may name a tenant or an agent. */
  public static boolean isName(String text) {
    // By hand, for every request asks twice, and a pattern takes ten times as long.
    boolean name = !text.isEmpty() && text.length() <= NAME_LENGTH_MAX;
    for (int i = 0; name && i < text.length(); i++) {
      char c = text.charAt(i);
      name = isLetterOrDigit(c) || (i > 0 && (c == '.' || c == '_' || c == '-'));
    }
    return name;
  }

  private static boolean isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  }

  /**
   * Reads the written form.
   *
   * @throws IllegalArgumentException with a message safe to show
   */
  public static AgentId parse(String text) {
    int slash = text.indexOf('/', SCHEME.length());
    if (!text.startsWith(SCHEME) || slash < 0) {
      throw new IllegalArgumentException("an agent id is written agent://<tenant>/<agent>");
    }
    return new AgentId(text.substring(SCHEME.length(), slash), text.substring(slash + 1));
  }

  @Override
  public String toString() {
    return SCHEME + tenant + "/" + name;
  }
}
