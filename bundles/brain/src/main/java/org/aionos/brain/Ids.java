package org.aionos.brain;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What tenants, models and routes are called towards a model: {@code tenant-1}, {@code model-1},
 * {@code route-1}. Names are chosen by others, and a name can be a sentence that gives orders.
 */
final class Ids {

  private static final Pattern ID = Pattern.compile("\\b(tenant|model|route)-[0-9]{1,5}\\b");

  private final Map<String, String> byName = new HashMap<>();
  private final Map<String, String> byId = new LinkedHashMap<>();

  Ids(SortedSet<String> tenants, SortedSet<String> models, SortedSet<String> routes) {
    number("tenant", tenants);
    number("model", models);
    number("route", routes);
  }

  static Ids of(Situation situation) {
    SortedSet<String> tenants = new TreeSet<>(situation.snapshot().tenants().keySet());
    situation.snapshot().load().tasks().forEach(task -> tenants.add(task.agent().tenant()));
    tenants.addAll(situation.configured().keySet());
    tenants.addAll(situation.memoryBytes().keySet());
    SortedSet<String> models = new TreeSet<>();
    SortedSet<String> routes = new TreeSet<>();
    situation
        .routes()
        .forEach(
            (model, listed) -> {
              models.add(model);
              routes.addAll(listed);
            });
    return new Ids(tenants, models, routes);
  }

  private void number(String kind, SortedSet<String> names) {
    int number = 0;
    for (String name : names) {
      String id = kind + "-" + ++number;
      byId.put(id, name);
      byName.put(kind + " " + name, id);
    }
  }

  String tenant(String name) {
    return byName.getOrDefault("tenant " + name, "tenant-0");
  }

  String model(String name) {
    return byName.getOrDefault("model " + name, "model-0");
  }

  String route(String name) {
    return byName.getOrDefault("route " + name, "route-0");
  }

  /** The tenant that an id stands for; null for none. */
  @Nullable String tenantOf(String id) {
    return id.startsWith("tenant-") ? byId.get(id) : null;
  }

  @Nullable String modelOf(String id) {
    return id.startsWith("model-") ? byId.get(id) : null;
  }

  @Nullable String routeOf(String id) {
    return id.startsWith("route-") ? byId.get(id) : null;
  }

  /** A text with names in the place of ids, for people. */
  String named(String text) {
    Function<java.util.regex.MatchResult, String> name =
        match ->
            java.util.regex.Matcher.quoteReplacement(
                byId.getOrDefault(match.group(), match.group()));
    return ID.matcher(text).replaceAll(name);
  }
}
