package org.aionos.policy;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.jspecify.annotations.Nullable;

/** The params of a call: what is compared of them, and what a person is shown. */
final class ShownParams {

  /** What fits on a screen. */
  static final int LENGTH_MAX = 2_000;

  private static final String HIDDEN = "***";

  /** Names, or parts of names, of what nobody should read over a shoulder. */
  private static final List<String> SECRET =
      List.of("password", "passwd", "token", "secret", "key", "authorization", "credential");

  private ShownParams() {}

  /** SHA-256 of the params in hex, whatever the order of names. */
  static String digest(Map<String, @Nullable Object> params) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256")
                  .digest(Documents.write(Map.of("params", sorted(params)))));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private static Map<String, @Nullable Object> sorted(Map<?, ?> map) {
    Map<String, @Nullable Object> sorted = new TreeMap<>();
    map.forEach((name, each) -> sorted.put(String.valueOf(name), sortedValue(each)));
    return sorted;
  }

  private static @Nullable Object sortedValue(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return sorted(map);
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> sorted = new ArrayList<>();
      list.forEach(each -> sorted.add(sortedValue(each)));
      return sorted;
    }
    return value instanceof Number number ? asRead(number) : value;
  }

  /** One number, however it was read. */
  private static Number asRead(Number number) {
    String written = number.toString();
    return written.matches("-?\\d+") ? new BigInteger(written) : Double.valueOf(written);
  }

  /** The params as JSON, without secrets, cut. */
  static String shown(Map<String, @Nullable Object> params) {
    Object hidden = hidden("", params);
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    if (hidden instanceof Map<?, ?> map) {
      map.forEach((name, each) -> values.put(String.valueOf(name), each));
    }
    String json = new String(Documents.write(values), UTF_8);
    if (json.length() <= LENGTH_MAX) {
      return json;
    }
    int end =
        Character.isHighSurrogate(json.charAt(LENGTH_MAX - 2)) ? LENGTH_MAX - 2 : LENGTH_MAX - 1;
    return json.substring(0, end) + "…";
  }

  private static @Nullable Object hidden(String name, @Nullable Object value) {
    if (isSecret(name)) {
      return HIDDEN;
    }
    if (value instanceof Map<?, ?> map) {
      Map<String, @Nullable Object> hidden = new LinkedHashMap<>();
      map.forEach((each, of) -> hidden.put(String.valueOf(each), hidden(String.valueOf(each), of)));
      return hidden;
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> hidden = new ArrayList<>();
      list.forEach(each -> hidden.add(hidden("", each)));
      return hidden;
    }
    return value;
  }

  private static boolean isSecret(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return SECRET.stream().anyMatch(lower::contains);
  }
}
