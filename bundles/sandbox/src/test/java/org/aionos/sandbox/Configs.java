package org.aionos.sandbox;

import java.lang.annotation.Annotation;

/** The settings of a test's sandbox, each as the default says unless it is changed here. */
record Configs(
    boolean degraded,
    int uidFirst,
    String unpackDir,
    int workersMax,
    int workersPerToolMax,
    int callsPerWorkerMax,
    long idleSecondsMax,
    long startMillisMax)
    implements SandboxConfig {

  static Configs usual() {
    return new Configs(false, 200_000, "", 64, 56, 1_000, 60, 10_000);
  }

  static Configs degradedOnes() {
    return new Configs(true, 200_000, "", 64, 56, 1_000, 60, 10_000);
  }

  @Override
  public Class<? extends Annotation> annotationType() {
    return SandboxConfig.class;
  }
}
