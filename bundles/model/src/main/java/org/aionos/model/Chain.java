package org.aionos.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.Tuning;
import org.jspecify.annotations.Nullable;

/**
 * Which routes of a model a call may take, and in which order. Whoever forbids what leaves this
 * organisation's hosts, forbids it: the caller, the agent's manifest, or the policy.
 */
final class Chain {

  private Chain() {}

  /**
   * @param allowCloud what the caller says
   * @throws Refused {@code EGRESS_DENIED} if none is left; it names the rule
   */
  static List<ModelSettings.Route> of(
      ModelSettings.Model model, boolean allowCloud, AgentProcess agent, Tuning.Models tuned) {
    List<ModelSettings.Route> tunedRoutes = tuned(model, tuned);
    if (tunedRoutes.isEmpty()) {
      throw new Refused(
          Problem.of(
                  Code.EGRESS_DENIED,
                  "the policy leaves no route of the model " + model.name() + " that is configured")
              .ruledBy("models.routes")
              .admittedBy("a route of models.yaml in the policy's list for this model"));
    }
    String rule = forbidding(allowCloud, agent, tuned);
    return rule == null ? tunedRoutes : local(model, tunedRoutes, rule);
  }

  /**
   * @throws Refused {@code EGRESS_DENIED} if none is left
   */
  static List<ModelSettings.Route> local(
      ModelSettings.Model model, List<ModelSettings.Route> routes, String rule) {
    List<ModelSettings.Route> local =
        routes.stream().filter(each -> each.provider().local()).toList();
    if (local.isEmpty()) {
      throw new Refused(
          Problem.of(
                  Code.EGRESS_DENIED,
                  "the model " + model.name() + " has no local provider, and " + rule + " is false")
              .ruledBy(rule)
              .admittedBy("a route of this model to a provider with local: true"));
    }
    return local;
  }

  private static List<ModelSettings.Route> tuned(ModelSettings.Model model, Tuning.Models tuned) {
    List<String> listed = tuned.routes().get(model.name());
    if (listed == null || listed.isEmpty()) {
      return model.routes();
    }
    Map<String, ModelSettings.Route> byName = new LinkedHashMap<>();
    model.routes().forEach(each -> byName.putIfAbsent(each.name(), each));
    List<ModelSettings.Route> routes = new ArrayList<>();
    for (String each : listed) {
      ModelSettings.Route route = byName.remove(each);
      if (route != null) {
        routes.add(route);
      }
    }
    return Collections.unmodifiableList(routes);
  }

  private static @Nullable String forbidding(
      boolean allowCloud, AgentProcess agent, Tuning.Models tuned) {
    if (!allowCloud) {
      return "allow_cloud";
    }
    if (!manifestAllows(agent.manifest())) {
      return "policy_overrides.privacy.allow_cloud";
    }
    return tuned.allowCloud() ? null : "models.allow_cloud";
  }

  /** What cannot be read as a yes, once it is there, is a no. */
  private static boolean manifestAllows(Map<String, @Nullable Object> manifest) {
    Object at = manifest;
    for (String step : List.of("spec", "policy_overrides", "privacy", "allow_cloud")) {
      if (!(at instanceof Map<?, ?> object)) {
        return false;
      }
      at = object.get(step);
      if (at == null) {
        return true;
      }
    }
    return Boolean.TRUE.equals(at);
  }

  /** With one route first, if it is among them. */
  static List<ModelSettings.Route> beginningAt(String name, List<ModelSettings.Route> routes) {
    List<ModelSettings.Route> ordered = new ArrayList<>(routes);
    ordered.sort(
        (one, other) -> Boolean.compare(other.name().equals(name), one.name().equals(name)));
    return ordered;
  }
}
