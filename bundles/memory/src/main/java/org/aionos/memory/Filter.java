package org.aionos.memory;

import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;

/** Which items are meant. Whose they are is no matter of a filter. */
sealed interface Filter {

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

  /** Reads the JSON form; see docs/memory.md. */
  final class Reader {

    private static final int DEPTH_MAX = 8;
    private static final int NODES_MAX = 64;
    private static final String[] NAMES = {
      "tenant", "agent", "task", "tags", "created", "updated", "meta", "and", "or", "not"
    };

    private int nodes;

    Filter read(Fields words) throws InvalidDocument {
      return read(words, 1);
    }

    private Filter read(Fields words, int depth) throws InvalidDocument {
      words.only(NAMES);
      List<Filter> all = new ArrayList<>();
      for (String name : words.names()) {
        if (++nodes > NODES_MAX || depth > DEPTH_MAX) {
          throw words.invalid(
              name, "a filter has at most " + NODES_MAX + " parts, " + DEPTH_MAX + " deep");
        }
        switch (name) {
          case "task" -> all.add(new Task(words.text(name)));
          case "tags" -> all.add(new Tagged(List.copyOf(words.texts(name, NODES_MAX))));
          case "created", "updated" -> all.add(when(words.object(name), name.equals("created")));
          case "meta" -> meta(words.object(name), all);
          case "and" -> all.add(new All(each(words, name, depth)));
          case "or" -> all.add(new Any(each(words, name, depth)));
          case "not" -> all.add(new Not(read(words.object(name), depth + 1)));
          default -> {
            // tenant and agent say whose items are meant, which was decided before.
          }
        }
      }
      return all.size() == 1 ? all.get(0) : new All(all);
    }

    private List<Filter> each(Fields words, String name, int depth) throws InvalidDocument {
      List<Filter> filters = new ArrayList<>();
      for (Fields each : words.list(name)) {
        filters.add(read(each, depth + 1));
      }
      return filters;
    }

    private void meta(Fields words, List<Filter> all) throws InvalidDocument {
      for (String field : words.names()) {
        if (++nodes > NODES_MAX) {
          throw words.invalid(field, "a filter has at most " + NODES_MAX + " parts");
        }
        if (words.value(field) instanceof Map<?, ?>) {
          Fields operators = words.object(field).only("eq", "ne", "gt", "gte", "lt", "lte", "in");
          for (String operator : operators.names()) {
            all.add(compared(field, operator, operators));
          }
        } else {
          all.add(new Meta(field, "eq", words.value(field)));
        }
      }
    }

    private static Filter compared(String field, String operator, Fields operators)
        throws InvalidDocument {
      Object operand = operators.value(operator);
      if (operator.equals("in") && !(operand instanceof List<?>)) {
        throw operators.invalid("in", "must be a list");
      }
      return operator.equals("ne")
          ? new Not(new Meta(field, "eq", operand))
          : new Meta(field, operator, operand);
    }

    private static Filter when(Fields words, boolean created) throws InvalidDocument {
      words.only("from", "until");
      return new When(created, time(words, "from"), time(words, "until"));
    }

    private static @Nullable Instant time(Fields words, String name) throws InvalidDocument {
      String text = words.textOrNull(name);
      try {
        return text == null ? null : Instant.parse(text);
      } catch (DateTimeException malformed) {
        throw words.invalid(name, "must be as 2026-01-31T12:00:00Z");
      }
    }
  }
}
