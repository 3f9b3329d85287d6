package org.aionos.items;

import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Trust;

/** Filters of any kind, for tests. */
public final class Filters {

  private Filters() {}

  /** About fields {@code m} and {@code n} of meta, tags, tasks, times near {@code now}, trust. */
  public static Filter any(Random random, List<Object> values, Instant now, int depth) {
    Object value = values.get(random.nextInt(values.size()));
    return switch (random.nextInt(depth == 0 ? 7 : 10)) {
      case 0 -> new Filter.Meta("m", "eq", value);
      case 1 ->
          new Filter.Meta(
              random.nextBoolean() ? "m" : "n",
              List.of("gt", "gte", "lt", "lte").get(random.nextInt(4)),
              value);
      case 2 -> new Filter.Meta("m", "in", List.of(value, 2));
      case 3 ->
          new Filter.When(
              random.nextBoolean(),
              random.nextBoolean() ? now : null,
              random.nextBoolean() ? now : now.plusMillis(random.nextInt(30)));
      case 4 -> new Filter.Task("t" + random.nextInt(3));
      case 5 -> new Filter.Tagged(List.of("tag" + random.nextInt(5)));
      case 6 -> new Filter.Trusted(Trust.values()[random.nextInt(3)]);
      case 7 -> new Filter.Not(any(random, values, now, depth - 1));
      case 8 ->
          new Filter.All(
              List.of(any(random, values, now, depth - 1), any(random, values, now, depth - 1)));
      default ->
          new Filter.Any(
              List.of(any(random, values, now, depth - 1), any(random, values, now, depth - 1)));
    };
  }
}
