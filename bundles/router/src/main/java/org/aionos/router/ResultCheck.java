package org.aionos.router;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/**
 * Checks, in one walk, that a result is plain JSON values and no larger than a caller can be sent.
 */
final class ResultCheck {

  private static final int DEPTH_MAX = 64;

  private static final Set<Class<?>> NUMBERS =
      Set.of(
          Byte.class, Short.class, Integer.class, Long.class, BigInteger.class, BigDecimal.class);

  private final int bytesMax;
  private long bytes;

  ResultCheck(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  /** Returns a copy: what was checked must be what is sent, whatever the tool does with its own. */
  Map<String, @Nullable Object> checked(Map<?, ?> result) {
    return object(result, 1);
  }

  private Map<String, @Nullable Object> object(Map<?, ?> map, int depth) {
    Map<String, @Nullable Object> copy = new LinkedHashMap<>();
    for (Map.Entry<?, ?> field : map.entrySet()) {
      if (!(field.getKey() instanceof String name)) {
        throw new Refused(
            Code.RESULT_INVALID, "the tool's result has a field whose name is not text");
      }
      count(name.length());
      copy.put(name, value(field.getValue(), depth + 1));
    }
    return copy;
  }

  private @Nullable Object value(@Nullable Object value, int depth) {
    if (depth > DEPTH_MAX) {
      throw new Refused(Code.RESULT_INVALID, "the tool's result is nested too deep");
    }
    count(4);
    if (value instanceof String text) {
      count(text.length());
      return text;
    }
    if (value instanceof Map<?, ?> map) {
      return object(map, depth);
    }
    if (value instanceof List<?> list) {
      List<@Nullable Object> copy = new ArrayList<>();
      for (Object each : list) {
        copy.add(value(each, depth + 1));
      }
      return copy;
    }
    if (value == null || value instanceof Boolean || isNumber(value)) {
      return value;
    }
    throw new Refused(Code.RESULT_INVALID, "the tool's result holds a value that is not JSON");
  }

  private void count(int more) {
    bytes += more;
    if (bytes > bytesMax) {
      throw new Refused(Code.RESULT_TOO_LARGE, "the tool's result exceeds " + bytesMax + " bytes");
    }
  }

  /**
   * Whether JSON can write it as a number. What is written after this check must not be able to
   * fail, so a tool's own kind of number will not do, and neither will one that is not finite.
   */
  private static boolean isNumber(Object value) {
    if (value instanceof Double number) {
      return Double.isFinite(number);
    }
    if (value instanceof Float number) {
      return Float.isFinite(number);
    }
    return NUMBERS.contains(value.getClass());
  }
}
