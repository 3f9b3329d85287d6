package org.aionos.kernel;

import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** Whether an agent's manifest that lies in a file is to be believed. */
@ProviderType
public interface ManifestTrust {

  /**
   * Returns if these bytes may be registered.
   *
   * @param manifest the file, byte for byte
   * @param signature the file beside it, {@code <agent>.yml.sigstore.json}; null if there is none
   * @throws Refused {@code TOOL_NOT_TRUSTED}, with the reason as its rule, if a signature is
   *     required and these bytes have none that the trust store bears out
   */
  void check(byte[] manifest, byte @Nullable [] signature);

  /**
   * Returns if these bytes have a signature that the trust store bears out, whether or not one is
   * required.
   *
   * @throws Refused {@code TOOL_NOT_TRUSTED}, with the reason as its rule
   */
  void verify(byte[] manifest, byte @Nullable [] signature);
}
