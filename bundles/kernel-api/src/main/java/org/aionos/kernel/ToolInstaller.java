package org.aionos.kernel;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Lets tool jars in and out. Only bytes that a vendor of the operator's trust store has signed, or
 * whose digest an operator has allowed, are ever installed.
 *
 * <p>A signature is the content of the file that a vendor ships beside a jar: a sigstore bundle
 * ({@code x.jar.sigstore.json}), or base64 as {@code cosign sign-blob} writes it ({@code
 * x.jar.sig}).
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
   * @throws Refused {@code TOOL_NOT_TRUSTED} if its digest is not allowed, {@code INVALID_FIELD} if
   *     it is not a tool jar
   */
  Plan install(byte[] jar, String by);

  /**
   * What trust says of these bytes, and what installing them would do. Installs nothing.
   *
   * @param signature null if none came with the jar
   * @throws Refused {@code INVALID_FIELD} if the bytes are not a tool jar
   */
  Verdict verdict(byte[] jar, byte @Nullable [] signature);

  /**
   * Installs a tool jar, as {@link #install(byte[], String)}, on the word of its signature or of an
   * operator.
   *
   * @param signature null if none came with the jar
   * @param force also a signed jar that is older than the installed one, or that differs from it
   *     under the same version; it lifts no other refusal
   * @throws Refused {@code TOOL_NOT_TRUSTED} with the reason as its rule, {@code INVALID_FIELD} if
   *     it is not a tool jar
   */
  Verdict install(byte[] jar, byte @Nullable [] signature, boolean force, String by);

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

  /**
   * @param tier how the tool would be isolated
   * @param signer who signed it, if the signature holds; null: the operator's allowance, if any
   * @param refusal why it would not be installed; null if it would
   * @param forcible whether an operator's force would lift the refusal
   * @param stops other bundles, name and version, that depend on the one that gives way and would
   *     be stopped with it
   * @param callsInFlight of the version that gives way; they get the drain time to end
   */
  record Verdict(
      Plan plan,
      String tier,
      @Nullable Signer signer,
      @Nullable Problem refusal,
      boolean forcible,
      List<String> stops,
      int callsInFlight) {}

  /**
   * @param key id of the vendor's key
   */
  record Signer(String vendor, String key) {}
}
