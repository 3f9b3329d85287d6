package org.aionos.router;

import java.util.List;
import java.util.Map;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;

/**
 * Checks, in one walk, that a result is plain JSON values and no larger than a caller can be sent.
 */
final class ResultCheck {

  private static final int DEPTH_MAX = 64;

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
    if (value instanceof CharSequence text) {
      bytes += text.length();
    } else if (value instanceof Map<?, ?> map) {
      map.forEach(
          (name, each) -> {
            walk(name, depth + 1);
            walk(each, depth + 1);
          });
    } else if (value instanceof List<?> list) {
      list.forEach(each -> walk(each, depth + 1));
    } else if (!(value == null || value instanceof Number || value instanceof Boolean)) {
      throw new Refused(Code.RESULT_INVALID, "the tool's result holds a value that is not JSON");
    }
    if (bytes > bytesMax) {
      throw new Refused(Code.RESULT_TOO_LARGE, "the tool's result exceeds " + bytesMax + " bytes");
    }
  }
}
