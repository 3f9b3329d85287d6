package org.aionos.model;

import org.aionos.kernel.policy.Tuning;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/** What the policy in force says of models, for each tenant. */
@FunctionalInterface
interface TunedModels {

  Tuning.Models of(String tenant);

  /**
   * Looks for the policy when it is asked for. Not by a reference of the component: the policy asks
   * models, and of two that need each other to begin, neither does.
   */
  static TunedModels found(BundleContext context) {
    return tenant -> {
      ServiceReference<Tuning> reference = context.getServiceReference(Tuning.class);
      Tuning tuning = reference == null ? null : context.getService(reference);
      if (reference == null || tuning == null) {
        return Tuning.Models.UNSAID;
      }
      try {
        return tuning.models(tenant);
      } finally {
        context.ungetService(reference);
      }
    };
  }
}
