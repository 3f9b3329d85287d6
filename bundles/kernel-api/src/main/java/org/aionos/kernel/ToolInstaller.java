package org.aionos.kernel;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Lets tool jars in and out. Only bytes whose digest an operator has allowed are ever installed.
 */
@ProviderType
public interface ToolInstaller {

  /** Allows the bytes with this SHA-256 (lower-case hex). Idempotent. */
  void allow(String digest, String by);

  /**
   * Takes an allowance back; a tool already installed from these bytes stays until it is removed.
   */
  void disallow(String digest, String by);

  Set<String> allowed();

  /**
   * What installing these bytes would do. Installs nothing.
   *
   * @throws Refused {@code INVALID_FIELD} if the bytes are not a tool jar
   */
  Plan plan(byte[] jar);

  /**
   * Installs a tool jar; a version already installed of it gives way without a failed call. Returns
   * once the tool can be called. Idempotent for the same bytes.
   *
   * @throws Refused {@code ROLE_REQUIRED} if its digest is not allowed, {@code INVALID_FIELD} if it
   *     is not a tool jar
   */
  Plan install(byte[] jar, String by);

  /**
   * Removes a tool after its calls in flight have ended.
   *
   * @param version null for every version
   * @throws Refused {@code UNKNOWN_TOOL}
   */
  void remove(String name, @Nullable String version, String by);

  /**
   * @param replaces the version that would give way; null if the tool is new
   * @param capabilitiesAdded what the new version needs and the old one did not
   */
  record Plan(
      String name,
      String version,
      String digest,
      boolean allowed,
      @Nullable String replaces,
      List<String> capabilitiesAdded,
      List<String> capabilitiesDropped) {}
}
