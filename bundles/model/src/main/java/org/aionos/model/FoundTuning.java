package org.aionos.model;

import org.aionos.kernel.policy.Tuning;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/**
 * Looks for the policy when it is asked for. Not by a reference of the component: the policy asks
 * models, and of two that need each other to begin, neither does. Without one, nothing is said.
 */
final class FoundTuning implements TunedModels {

  private final BundleContext context;
  private volatile @Nullable Found found;

  private record Found(ServiceReference<Tuning> reference, Tuning service) {}

  FoundTuning(BundleContext context) {
    this.context = context;
  }

  @Override
  public Tuning.Models of(String tenant) {
    Tuning tuning = get();
    return tuning == null ? Tuning.Models.UNSAID : tuning.models(tenant);
  }

  private @Nullable Tuning get() {
    Found known = found;
    // A reference whose service is gone has no bundle.
    if (known != null && known.reference().getBundle() != null) {
      return known.service();
    }
    ServiceReference<Tuning> reference = context.getServiceReference(Tuning.class);
    Tuning service = reference == null ? null : context.getService(reference);
    found = reference == null || service == null ? null : new Found(reference, service);
    return service;
  }
}
