package org.aionos.policies;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.policy.Tuning.Models;

/**
 * What {@code models.yaml} says of models. A tenant's routes of an alias go before those of all; to
 * the cloud it may only what all may.
 */
final class ModelRules {

  static final ModelRules UNSAID = new ModelRules(Models.UNSAID, Map.of());

  private final Models all;
  private final Map<String, Models> tenants;

  private ModelRules(Models all, Map<String, Models> tenants) {
    this.all = all;
    this.tenants = Map.copyOf(tenants);
  }

  static ModelRules read(Fields root) throws InvalidDocument {
    Models all = models(root, Models.UNSAID);
    Map<String, Models> tenants = new HashMap<>();
    for (Map.Entry<String, Fields> tenant : Names.tenants(root).entrySet()) {
      tenants.put(tenant.getKey(), models(tenant.getValue(), all));
    }
    return new ModelRules(all, tenants);
  }

  private static Models models(Fields fields, Models absent) throws InvalidDocument {
    Map<String, List<String>> routes = new LinkedHashMap<>(absent.routes());
    Fields own = fields.objectOrEmpty("routes");
    for (String alias : own.names()) {
      routes.put(alias, route(own, alias));
    }
    return new Models(
        Collections.unmodifiableMap(routes),
        absent.allowCloud() && fields.flag("allow_cloud", true));
  }

  private static List<String> route(Fields routes, String alias) throws InvalidDocument {
    List<String> entries = new ArrayList<>(routes.texts(alias, 100));
    for (String entry : entries) {
      int slash = entry.indexOf('/');
      if (slash < 1 || slash == entry.length() - 1) {
        throw routes.invalid(alias, "must list <provider>/<model>, which " + entry + " is not");
      }
    }
    return List.copyOf(entries);
  }

  Models of(String tenant) {
    return tenants.getOrDefault(tenant, all);
  }

  Models ofAnyTenant() {
    return all;
  }

  Set<String> namedTenants() {
    return tenants.keySet();
  }
}
