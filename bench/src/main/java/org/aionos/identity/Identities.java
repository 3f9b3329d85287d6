package org.aionos.identity;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import org.aionos.kernel.Journal;

/** Opens real identities outside of a framework. */
public final class Identities {

  private Identities() {}

  /** An identity that knows the sample tenant. */
  public static IdentityComponent open(Path folder, Journal journal) throws IOException {
    Settings settings = new Settings(folder, true, Duration.ofMinutes(5), 10_000_000, false, null);
    return new IdentityComponent(settings, InstantSource.system(), new SecureRandom(), journal);
  }

  public static void close(IdentityComponent identity) {
    identity.close();
  }
}
