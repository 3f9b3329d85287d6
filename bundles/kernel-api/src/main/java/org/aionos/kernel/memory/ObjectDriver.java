package org.aionos.kernel.memory;

import java.time.Duration;
import org.osgi.annotation.versioning.ConsumerType;

/** Opens object stores of one product. A service with the property {@link StoreDriver#DRIVER}. */
@ConsumerType
public interface ObjectDriver {

  /**
   * Opens the bucket {@link StoreDriver.Opening#name}, which is made at the first use if it is not
   * there. Does not wait for the server.
   *
   * @param expireAfter the bucket's lifecycle takes objects away so long after they were written;
   *     never before anything in them expires
   */
  ObjectStore open(StoreDriver.Opening opening, Duration expireAfter);
}
