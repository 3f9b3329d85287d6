package org.aionos.kernel;

import java.util.regex.Pattern;

/**
 * Names one agent of one tenant; written {@code agent://tenantA/researcher-1}. Both names are safe
 * as a file name and a key segment.
 */
public record AgentId(String tenant, String name) {

  private static final String SCHEME = "agent://";
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

  public AgentId {
    if (!isName(tenant) || !isName(name)) {
      throw new IllegalArgumentException(
          "tenant and agent names must match " + NAME.pattern() + ", in agent://<tenant>/<agent>");
    }
  }

  /** Whether a text may name a tenant or an agent. */
  public static boolean isName(String text) {
    return NAME.matcher(text).matches();
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
