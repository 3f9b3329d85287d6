package org.aionos.kernel;

import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Which bundles the framework may load besides the distribution's own and the tools: those whose
 * digest an admin has allowed. Such a bundle has every right of the kernel's process.
 */
@ProviderType
public interface KernelBundles {

  /** Allows the bytes with this SHA-256 (lower-case hex) to be installed. Idempotent. */
  void allow(String digest, String by);

  /** Takes an allowance back; what was loaded by it runs until it is removed, or the next start. */
  void disallow(String digest, String by);

  Set<String> allowed();
}
