package org.aionos.memory;

import java.util.EnumSet;
import org.apache.karaf.features.FeaturesService;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Installs the bundle that keeps memory on a server, out of this distribution, when the
 * configuration names it first: nobody who edits a file should have to open a shell as well.
 */
@Component(service = DriverInstaller.class)
public final class DriverInstaller {

  private static final String FEATURE = "aion-backend-";

  private final FeaturesService features;

  @Activate
  public DriverInstaller(@Reference(name = "features") FeaturesService features) {
    this.features = features;
  }

  /**
   * Returns when its driver is there, or will never be.
   *
   * @throws Exception if the distribution has no such feature, or it does not start
   */
  void install(String driver) throws Exception {
    features.installFeature(
        FEATURE + driver, EnumSet.of(FeaturesService.Option.NoAutoRefreshBundles));
  }
}
