package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Base64;
import org.aionos.items.ItemRows;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Place;

/**
 * What things are called in Redis. An item is {@code mem:<tenant>:<agent>:<task>:<key>}; others
 * than the kernel read it there.
 */
final class ItemKeys {

  /** All items that expire, by when they do. */
  static final byte[] EXPIRY = "mem-expiry".getBytes(UTF_8);

  /** Bytes of all tenants. */
  static final byte[] BYTES = "mem-bytes".getBytes(UTF_8);

  private static final String ITEM = "mem";

  private ItemKeys() {}

  /** Names of tenants and agents hold no colon, and the key is last. */
  static byte[] item(Place place) {
    String task = place.task().replace("%", "%25").replace(":", "%3A");
    return String.join(":", ITEM, place.agent().tenant(), place.agent().name(), task, place.key())
        .getBytes(UTF_8);
  }

  static Place place(byte[] item) {
    String[] parts = new String(item, UTF_8).split(":", 5);
    return new Place(
        new AgentId(parts[1], parts[2]),
        parts[3].replace("%3A", ":").replace("%25", "%"),
        parts[4]);
  }

  /** Places of a tenant, in order. */
  static byte[] places(String tenant) {
    return ("mem-places:" + tenant).getBytes(UTF_8);
  }

  /** Of these, what each takes. */
  static byte[] sizes(String tenant) {
    return ("mem-sizes:" + tenant).getBytes(UTF_8);
  }

  // --- names among the places of a tenant -------------------------------------------------------

  static byte[] name(Place place) {
    return String.join("\0", place.agent().name(), place.task(), place.key()).getBytes(UTF_8);
  }

  static Place place(String tenant, byte[] name) {
    String[] parts = new String(name, UTF_8).split("\0", -1);
    return new Place(new AgentId(tenant, parts[0]), parts[1], parts[2]);
  }

  /** With what the names of one agent's places begin. */
  static byte[] names(AgentId agent) {
    return (agent.name() + "\0").getBytes(UTF_8);
  }

  /** Behind all that begin so. */
  static byte[] behind(byte[] names) {
    byte[] behind = names.clone();
    behind[behind.length - 1]++;
    return behind;
  }

  // --- where pages go on ------------------------------------------------------------------------

  static String next(Place place) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(ItemRows.key(place));
  }

  /**
   * The name of the place that was last looked at.
   *
   * @param whose tenant, or tenant and agent
   * @throws Refused for what no page of these said
   */
  static byte[] after(String next, String... whose) {
    try {
      String key = new String(Base64.getUrlDecoder().decode(next), UTF_8);
      if (key.startsWith(String.join("\0", whose) + "\0") && key.split("\0", -1).length == 4) {
        return key.substring(whose[0].length() + 1).getBytes(UTF_8);
      }
    } catch (IllegalArgumentException notOurs) {
      // Refused below.
    }
    throw new Refused(
        Problem.at("/params/after", Code.INVALID_FIELD, "must be what a page said as next"));
  }
}
