package org.aionos.kernel;

import java.util.Map;
import org.osgi.annotation.versioning.ProviderType;

/** The configuration in force, for people to look at. Secrets are withheld. */
@ProviderType
public interface Settings {

  Status status();

  /**
   * @param sections each section of {@code kernel.yaml} and its values in force
   * @param overrides settings that the environment decided, and the variable that did
   * @param rejected why the file that is there now is not in force; empty if it is
   */
  record Status(
      Map<String, Map<String, Object>> sections, Map<String, String> overrides, String rejected) {}
}
