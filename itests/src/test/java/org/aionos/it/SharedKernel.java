package org.aionos.it;

/** The one kernel of all tests that neither crash it nor swap its parts. */
final class SharedKernel {

  static final IdentityProvider PEOPLE = new IdentityProvider();

  private static final RunningKernel KERNEL =
      RunningKernel.named("shared")
          .with("AION_IDENTITY_JWKS_URL", PEOPLE.keySetUrl())
          .with("AION_IDENTITY_JWT_ISSUER", IdentityProvider.ISSUER)
          .with("AION_IDENTITY_JWT_AUDIENCE", IdentityProvider.AUDIENCE)
          .start();

  private SharedKernel() {}

  /** Started with the first test that asks for it; ends with the JVM. */
  static RunningKernel get() {
    return KERNEL;
  }
}
