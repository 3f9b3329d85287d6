package org.aionos.scheduler;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** Limits of money, where null is no limit. */
final class Money {

  private Money() {}

  static @Nullable BigDecimal least(@Nullable BigDecimal a, @Nullable BigDecimal b) {
    if (a == null || b == null) {
      return a == null ? b : a;
    }
    return a.min(b);
  }
}
