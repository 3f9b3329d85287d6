package org.aionos.kernel.task;

import org.aionos.kernel.memory.StoreDriver;
import org.osgi.annotation.versioning.ConsumerType;

/** Opens task stores of one product. A service with the property {@link StoreDriver#DRIVER}. */
@ConsumerType
public interface TaskDriver {

  /**
   * Opens the store. Does not wait for the server: whether it answers shows at the first use.
   *
   * @throws IllegalArgumentException if the settings cannot be right; the message says which and
   *     holds no secret
   */
  TaskStore open(StoreDriver.Opening opening);
}
