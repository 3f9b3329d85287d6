package org.aionos.gate;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.felix.framework.Felix;
import org.apache.felix.framework.Logger;
import org.apache.felix.framework.util.FelixConstants;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.launch.FrameworkFactory;

/**
 * Makes a Felix that loads admitted bytes alone. Karaf asks for it by {@code
 * karaf.framework.factory}. Whatever fails here keeps the kernel from starting.
 */
public final class GateFrameworkFactory implements FrameworkFactory {

  /** In {@code karaf.home}; written when the distribution was built. */
  private static final String DISTRIBUTION = "lib/distribution.sha256";

  /** In {@code aion.config}; see {@code aion:bundle-allow}. */
  private static final String ALLOWED = "trust/allowed-bundles.txt";

  @Override
  public Framework newFramework(Map<String, String> configuration) {
    Map<String, Object> settings = new HashMap<>(configuration);
    try {
      Admissions admissions =
          new Admissions(
              folder(configuration, "karaf.home").resolve(DISTRIBUTION),
              folder(configuration, "aion.config").resolve(ALLOWED));
      Logger logger = new Logger();
      settings.put(FelixConstants.LOG_LOGGER_PROP, logger);
      settings.put(
          FelixConstants.FRAMEWORK_BUNDLECACHE_IMPL,
          new CheckedCache(logger, settings, admissions));
      settings.put(
          FelixConstants.SYSTEMBUNDLE_ACTIVATORS_PROP, List.of(new ForTrustAlone(admissions)));
      settings.merge(
          Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA,
          Gate.class.getPackageName() + ";version=1.0",
          (others, ours) -> others + "," + ours);
    } catch (Exception closed) {
      throw new IllegalStateException("the gate stays shut: " + closed, closed);
    }
    return new Felix(settings);
  }

  private static Path folder(Map<String, String> configuration, String property) {
    String folder = configuration.getOrDefault(property, System.getProperty(property));
    if (folder == null) {
      throw new IllegalStateException(property + " is not set");
    }
    return Path.of(folder);
  }

  /** Offers the gate to the trust bundle; to others it is as if there were none. */
  private record ForTrustAlone(Gate gate) implements BundleActivator, ServiceFactory<Gate> {

    private static final String TRUST = "org.aionos.trust";

    @Override
    public void start(BundleContext framework) {
      framework.registerService(Gate.class, this, null);
    }

    @Override
    public void stop(BundleContext framework) {}

    @Override
    public @Nullable Gate getService(Bundle asking, ServiceRegistration<Gate> registration) {
      // Names do not lie here: only admitted bundles have one, and tools may not have this one.
      return TRUST.equals(asking.getSymbolicName()) ? gate : null;
    }

    @Override
    public void ungetService(Bundle asked, ServiceRegistration<Gate> registration, Gate service) {}
  }
}
