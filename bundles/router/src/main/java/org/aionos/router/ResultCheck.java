package org.aionos.router;

import java.math.BigDecimal;
import java.math.BigInteger;
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

  void check(Map<?, ?> result) {
    walk(result, 1);
  }

  private void walk(@Nullable Object value, int depth) {
    if (depth > DEPTH_MAX) {
      throw new Refused(Code.RESULT_INVALID, "the tool's result is nested too deep");
    }
    bytes += 4;
    if (value instanceof String text) {
      bytes += text.length();
    } else if (value instanceof Map<?, ?> map) {
      map.forEach(
          (name, each) -> {
            if (!(name instanceof String)) {
              throw new Refused(
                  Code.RESULT_INVALID, "the tool's result has a field whose name is not text");
            }
            walk(name, depth + 1);
            walk(each, depth + 1);
          });
    } else if (value instanceof List<?> list) {
      list.forEach(each -> walk(each, depth + 1));
    } else if (!(value == null || value instanceof Boolean || isNumber(value))) {
      throw new Refused(Code.RESULT_INVALID, "the tool's result holds a value that is not JSON");
    }
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
