package org.aionos.drivers;

import java.util.EnumSet;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.task.AgentDoors;
import org.apache.karaf.features.FeaturesService;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Installs the bundle that keeps something on a server, out of this distribution, when the
 * configuration names it first: nobody who edits a file should have to open a shell as well.
 *
 * <p>A component of every bundle that links it in; where there is no Karaf it is never there, and
 * drivers are installed by hand.
 */
@Component(service = DriverInstaller.class)
public final class DriverInstaller {

  private static final String FEATURE = "aion-backend-";

  private static final long GATEWAY_NANOS = TimeUnit.SECONDS.toNanos(30);
  private static final long LOOK_MILLIS = 50;

  private final BundleContext context;
  private final FeaturesService features;

  @Activate
  public DriverInstaller(
      BundleContext context, @Reference(name = "features") FeaturesService features) {
    this.context = context;
    this.features = features;
  }

  /**
   * Returns when its driver is there, or will never be. Not to be called while a component begins.
   *
   * @throws Exception if the distribution has no such feature, or it does not start
   */
  public void install(String driver) throws Exception {
    awaitGateway();
    features.installFeature(
        FEATURE + driver, EnumSet.of(FeaturesService.Option.NoAutoRefreshBundles));
  }

  /**
   * While Karaf installs something, it keeps others from importing packages; Jetty does so when its
   * classes are first used, and would never work if that failed. So the gateway opens first.
   */
  private void awaitGateway() throws InterruptedException {
    long until = System.nanoTime() + GATEWAY_NANOS;
    while (!isGatewayOpen() && System.nanoTime() - until < 0) {
      Thread.sleep(LOOK_MILLIS);
    }
  }

  /** What is registered may still be opening; to get it waits for that. */
  private boolean isGatewayOpen() {
    ServiceReference<AgentDoors> reference = context.getServiceReference(AgentDoors.class);
    if (reference == null || context.getService(reference) == null) {
      return false;
    }
    context.ungetService(reference);
    return true;
  }
}
