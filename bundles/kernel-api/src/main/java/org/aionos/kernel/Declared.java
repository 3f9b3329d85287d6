package org.aionos.kernel;

import java.util.Set;

/**
 * What an agent's registration asks for: the most it can ever be granted.
 *
 * @param syscalls names or globs such as {@code memory.*}
 */
public record Declared(Set<String> capabilities, Set<String> syscalls) {

  public Declared {
    capabilities = Set.copyOf(capabilities);
    syscalls = Set.copyOf(syscalls);
  }
}
