package org.aionos.scheduler;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.ToolInstaller;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceEvent;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

/**
 * Looks for the neighbours when they are asked for. Not by references of the component: the router
 * and the gateway need this bundle to begin, and a reference back to one that is just beginning
 * finds nothing, and is never told that it has begun.
 */
final class FoundNeighbours implements Neighbours, AutoCloseable {

  private static final Map<Class<?>, String> TYPES =
      Map.of(
          SyscallRouter.class, "router",
          ToolCatalog.class, "tools",
          ToolInstaller.class, "installer",
          AgentLauncher.class, "launcher",
          AgentDoors.class, "doors");

  private record Found(ServiceReference<?> reference, Object service) {}

  private final BundleContext context;
  private @Nullable ServiceListener listener;
  private final ConcurrentMap<Class<?>, Found> found = new ConcurrentHashMap<>();

  FoundNeighbours(BundleContext context) {
    this.context = context;
  }

  @Override
  public void listen(Runnable came) {
    ServiceListener told =
        event -> {
          if (event.getType() == ServiceEvent.REGISTERED) {
            came.run();
          }
        };
    StringBuilder filter = new StringBuilder("(|");
    TYPES.keySet().forEach(type -> filter.append("(objectClass=" + type.getName() + ")"));
    try {
      context.addServiceListener(told, filter.append(')').toString());
    } catch (InvalidSyntaxException ourOwn) {
      throw new IllegalStateException(ourOwn);
    }
    listener = told;
  }

  @Override
  public @Nullable SyscallRouter router() {
    return get(SyscallRouter.class);
  }

  @Override
  public @Nullable ToolCatalog tools() {
    return get(ToolCatalog.class);
  }

  @Override
  public @Nullable AgentLauncher launcher() {
    return get(AgentLauncher.class);
  }

  @Override
  public @Nullable AgentDoors doors() {
    return get(AgentDoors.class);
  }

  /** That there is an installer says, too, that it has brought the tools of the last run back. */
  @Override
  public boolean areReady() {
    return get(SyscallRouter.class) != null && get(ToolInstaller.class) != null;
  }

  private <T> @Nullable T get(Class<T> type) {
    Found known = found.get(type);
    // A reference whose service is gone has no bundle.
    if (known != null && known.reference().getBundle() != null) {
      return type.cast(known.service());
    }
    ServiceReference<T> reference = context.getServiceReference(type);
    T service = reference == null ? null : context.getService(reference);
    if (service == null) {
      found.remove(type);
      return null;
    }
    found.put(type, new Found(reference, service));
    return service;
  }

  @Override
  public void close() {
    ServiceListener told = listener;
    if (told != null) {
      context.removeServiceListener(told);
    }
  }
}
