package org.aionos.sandbox;

import java.lang.annotation.Annotation;

/** The settings of a test's sandbox, each as the default says unless it is changed here. */
record Configs(
    String launcher,
    String ociRuntime,
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
    return launchedBy("");
  }

  /**
   * @param ociRuntime empty for bubblewrap
   */
  static Configs launchedBy(String ociRuntime) {
    String launcher = ociRuntime.isEmpty() ? "bubblewrap" : "oci";
    return new Configs(launcher, ociRuntime, false, 200_000, "", 64, 56, 1_000, 60, 10_000);
  }

  Configs startingWithin(long millis) {
    return new Configs(
        launcher,
        ociRuntime,
        degraded,
        uidFirst,
        unpackDir,
        workersMax,
        workersPerToolMax,
        callsPerWorkerMax,
        idleSecondsMax,
        millis);
  }

  /** The same, also where there are no cgroups. */
  Configs degradedOnes() {
    return new Configs(
        launcher,
        ociRuntime,
        true,
        uidFirst,
        unpackDir,
        workersMax,
        workersPerToolMax,
        callsPerWorkerMax,
        idleSecondsMax,
        startMillisMax);
  }

  @Override
  public Class<? extends Annotation> annotationType() {
    return SandboxConfig.class;
  }
}
