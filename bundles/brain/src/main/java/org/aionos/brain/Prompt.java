package org.aionos.brain;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.kernel.model.Models;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * What a model is told: rules, and figures as JSON. Names stand in it as ids of ours; nothing else
 * of it was written by anybody but us, so there is nothing in it that could give orders.
 */
final class Prompt {

  static final String SYSTEM =
      """
      You tune an operating system for agents. You get figures of the last hour as JSON, and answer \
      with one JSON object: {"changes": [{"file", "pointer", "value", "reason"}], "rationale"}.
      You may change, by JSON pointers with the ids of the figures:
      - scheduler.yaml /weights/high, /weights/normal, /weights/low (1 to 1000), /slice_ms, \
      /ageing_ms, /minimum_runtime_ms: each to at least half and at most twice its present value.
        Queues share slots by weight while several have tasks; the higher queue goes first beyond \
      that. minimum_runtime_ms is how long a task runs before one of a higher queue may preempt it. \
      slice_ms is by how much a tenant may be ahead of another that waits.
      - quotas.yaml /tenants/<id>/max_concurrency, /token_rate, /usd_per_hour, /calls_per_hour: \
      only lower, to at least half, and only of a tenant that "calls_for_less" names.
      - memory.yaml /tenants/<id>/tenant_bytes_max: only lower, to at least half, and never below \
      one and a quarter of memory_bytes.
      - models.yaml /routes/<id>: the same routes in another order, as a list of ids.
      Whole numbers are written without a fraction. What you cannot improve by these figures, leave \
      alone: "changes" may be empty. Give each reason in one short sentence that names its figures.
      """;

  private static final int TENANTS_MAX = 100;

  private Prompt() {}

  /**
   * @param fault what was wrong with the answer before; null for the first
   * @param models what is known of routes; empty if nothing is
   */
  static String of(
      Situation situation,
      Ids ids,
      Caution caution,
      List<Models.Model> models,
      Played played,
      @Nullable String fault) {
    Map<String, @Nullable Object> figures = new LinkedHashMap<>();
    figures.put("scheduler", scheduler(situation));
    figures.put("slots", situation.rules().slots());
    figures.put("recorded_load", played.values(ids.tenant(played.worstTenant())));
    figures.put("queues", queues(situation.snapshot()));
    figures.put("tenants", tenants(situation, ids, caution));
    figures.put("routes", routes(situation, ids, models));
    String prompt = new String(Documents.write(figures), UTF_8);
    return fault == null
        ? prompt
        : prompt
            + "\n\nYour answer before was refused: "
            + fault
            + "\nAnswer again, with the whole JSON object.";
  }

  private static Map<String, @Nullable Object> scheduler(Situation situation) {
    Order order = Order.of(situation.rules());
    Map<String, @Nullable Object> weights = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      weights.put(tier.written(), order.weight(tier));
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("weights", weights);
    values.put("slice_ms", order.sliceMillis());
    values.put("ageing_ms", order.ageingMillis());
    values.put("minimum_runtime_ms", order.minimumRuntimeMillis());
    return values;
  }

  private static Map<String, @Nullable Object> queues(Snapshot snapshot) {
    Map<String, @Nullable Object> queues = new LinkedHashMap<>();
    for (Tier tier : Tier.values()) {
      Snapshot.QueueFigures queue = snapshot.queues().get(tier);
      if (queue != null) {
        queues.put(tier.written(), Map.of("waiting", queue.waiting(), "running", queue.running()));
      }
    }
    return queues;
  }

  private static Map<String, @Nullable Object> tenants(
      Situation situation, Ids ids, Caution caution) {
    Map<String, @Nullable Object> tenants = new LinkedHashMap<>();
    situation.snapshot().tenants().entrySet().stream()
        .sorted((one, other) -> Long.compare(other.getValue().calls(), one.getValue().calls()))
        .limit(TENANTS_MAX)
        .forEach(
            each -> {
              Map<String, @Nullable Object> values = figures(each.getValue());
              Limits limits = situation.limits(each.getKey());
              for (Limits.Kind kind : Limits.Kind.values()) {
                BigDecimal limit = limits.of(kind);
                if (limit != null) {
                  values.put(kind.written(), limit);
                }
              }
              BigDecimal bytesMax = situation.memory(each.getKey());
              if (bytesMax != null) {
                values.put("tenant_bytes_max", bytesMax);
                values.put("memory_bytes", situation.memoryBytes().getOrDefault(each.getKey(), 0L));
              }
              Evidence.against(each.getKey(), situation, caution)
                  .ifPresent(why -> values.put("calls_for_less", why.says()));
              tenants.put(ids.tenant(each.getKey()), values);
            });
    return tenants;
  }

  /** Figures of a tenant, as JSON values by name. */
  static Map<String, @Nullable Object> figures(Snapshot.TenantFigures tenant) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("calls", tenant.calls());
    values.put("failed_by_itself", tenant.failedByItself());
    values.put("failed_otherwise", tenant.failedOtherwise());
    values.put("p50_ms", tenant.p50Millis());
    values.put("p95_ms", tenant.p95Millis());
    values.put("cost_usd", tenant.costUsd());
    values.put("recent_usd_per_hour", tenant.recentUsdPerHour());
    return values;
  }

  private static Map<String, @Nullable Object> routes(
      Situation situation, Ids ids, List<Models.Model> models) {
    Map<String, @Nullable Object> routes = new LinkedHashMap<>();
    situation
        .routes()
        .forEach(
            (model, listed) -> {
              List<Map<String, @Nullable Object>> known = new ArrayList<>();
              listed.forEach(route -> known.add(route(route, ids, models)));
              routes.put(ids.model(model), known);
            });
    return routes;
  }

  private static Map<String, @Nullable Object> route(
      String name, Ids ids, List<Models.Model> models) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("id", ids.route(name));
    models.stream()
        .flatMap(model -> model.routes().stream())
        .filter(route -> name.equals(route.provider() + "/" + route.model()))
        .findFirst()
        .ifPresent(
            route -> {
              values.put("local", route.local());
              values.put("usd_per_million_tokens_in", route.usdPerMillionTokensIn());
              values.put("usd_per_million_tokens_out", route.usdPerMillionTokensOut());
              values.put("failing", !"closed".equals(route.circuit()));
            });
    return values;
  }
}
