package org.aionos.memory;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;

/** Reads the JSON form; see docs/memory.md. */
final class FilterReader {

  private static final int DEPTH_MAX = 8;
  private static final int NODES_MAX = 64;
  private static final String[] NAMES = {
    "tenant", "agent", "task", "tags", "created", "updated", "meta", "trust", "and", "or", "not"
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
        case "task" -> all.add(new Filter.Task(words.text(name)));
        case "tags" -> all.add(new Filter.Tagged(List.copyOf(words.texts(name, NODES_MAX))));
        case "created", "updated" -> all.add(when(words.object(name), name.equals("created")));
        case "trust" -> all.add(new Filter.Trusted(trust(words, name)));
        case "meta" -> meta(words.object(name), all);
        case "and" -> all.add(new Filter.All(each(words, name, depth)));
        case "or" -> all.add(new Filter.Any(each(words, name, depth)));
        case "not" -> all.add(new Filter.Not(read(words.object(name), depth + 1)));
        default -> {
          // tenant and agent say whose items are meant, which was decided before.
        }
      }
    }
    return all.size() == 1 ? all.get(0) : new Filter.All(all);
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
        all.add(new Filter.Meta(field, "eq", words.value(field)));
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
        ? new Filter.Not(new Filter.Meta(field, "eq", operand))
        : new Filter.Meta(field, operator, operand);
  }

  private static Filter when(Fields words, boolean created) throws InvalidDocument {
    words.only("from", "until");
    return new Filter.When(created, time(words, "from"), time(words, "until"));
  }

  private static @Nullable Instant time(Fields words, String name) throws InvalidDocument {
    String text = words.textOrNull(name);
    try {
      return text == null ? null : Instant.parse(text);
    } catch (DateTimeException malformed) {
      throw words.invalid(name, "must be as 2026-01-31T12:00:00Z");
    }
  }

  /** {@code low}, {@code medium} or {@code high}. */
  static Trust trust(Fields words, String name) throws InvalidDocument {
    String word = words.text(name);
    for (Trust trust : Trust.values()) {
      if (trust.word().equals(word)) {
        return trust;
      }
    }
    throw words.invalid(name, "must be low, medium or high");
  }
}
