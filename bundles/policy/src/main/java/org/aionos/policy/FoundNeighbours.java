package org.aionos.policy;

import org.aionos.kernel.JournalReader;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.ToolCatalog;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/**
 * Looks for the neighbours when they are asked for. Not by references of the component: some of
 * them need this bundle to begin.
 */
final class FoundNeighbours implements Neighbours {

  private final BundleContext context;

  FoundNeighbours(BundleContext context) {
    this.context = context;
  }

  @Override
  public @Nullable JournalReader journal() {
    return get(JournalReader.class);
  }

  @Override
  public @Nullable ProcessTable processes() {
    return get(ProcessTable.class);
  }

  @Override
  public @Nullable ToolCatalog tools() {
    return get(ToolCatalog.class);
  }

  private <T> @Nullable T get(Class<T> type) {
    ServiceReference<T> reference = context.getServiceReference(type);
    return reference == null ? null : context.getService(reference);
  }
}
