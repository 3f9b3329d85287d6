package org.aionos.kernel.memory;

import java.math.BigDecimal;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which items are meant. Whose they are is no matter of a filter. */
public sealed interface Filter {

  Filter ANY = new All(List.of());

  boolean admits(Item item);

  record All(List<Filter> of) implements Filter {
    @Override
    public boolean admits(Item item) {
      return of.stream().allMatch(each -> each.admits(item));
    }
  }

  record Any(List<Filter> of) implements Filter {
    @Override
    public boolean admits(Item item) {
      return of.stream().anyMatch(each -> each.admits(item));
    }
  }

  record Not(Filter of) implements Filter {
    @Override
    public boolean admits(Item item) {
      return !of.admits(item);
    }
  }

  record Task(String name) implements Filter {
    @Override
    public boolean admits(Item item) {
      return item.place().task().equals(name);
    }
  }

  record Trusted(Trust atLeast) implements Filter {
    @Override
    public boolean admits(Item item) {
      return item.provenance().trust().compareTo(atLeast) >= 0;
    }
  }

  record Tagged(List<String> all) implements Filter {
    @Override
    public boolean admits(Item item) {
      return item.content().tags().containsAll(all);
    }
  }

  /** Created or updated in {@code from <= time < until}. */
  record When(boolean created, @Nullable Instant from, @Nullable Instant until) implements Filter {
    @Override
    public boolean admits(Item item) {
      Instant time = created ? item.createdAt() : item.updatedAt();
      return (from == null || !time.isBefore(from)) && (until == null || time.isBefore(until));
    }
  }

  /**
   * Compares a field of the item's meta. Numbers compare as numbers, texts as texts; what cannot be
   * compared is not admitted.
   *
   * @param operator {@code eq}, {@code gt}, {@code gte}, {@code lt}, {@code lte} or {@code in}
   */
  record Meta(String field, String operator, @Nullable Object operand) implements Filter {

    @Override
    public boolean admits(Item item) {
      if (!item.content().meta().containsKey(field)) {
        return false;
      }
      Object value = item.content().meta().get(field);
      return switch (operator) {
        case "eq" -> same(value, operand);
        case "in" ->
            operand instanceof List<?> many && many.stream().anyMatch(each -> same(value, each));
        default -> isOrdered(value);
      };
    }

    private boolean isOrdered(@Nullable Object value) {
      int order;
      if (value instanceof Number a && operand instanceof Number b) {
        order = number(a).compareTo(number(b));
      } else if (value instanceof String a && operand instanceof String b) {
        order = a.compareTo(b);
      } else {
        return false;
      }
      return switch (operator) {
        case "gt" -> order > 0;
        case "gte" -> order >= 0;
        case "lt" -> order < 0;
        default -> order <= 0;
      };
    }

    private static boolean same(@Nullable Object a, @Nullable Object b) {
      return (a instanceof Number x && b instanceof Number y)
          ? number(x).compareTo(number(y)) == 0
          : java.util.Objects.equals(a, b);
    }

    private static BigDecimal number(Number number) {
      return new BigDecimal(number.toString());
    }
  }
}
