package org.aionos.it;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** What this host can isolate, by the word of {@code ./aion doctor}. */
final class Doctor {

  private static final Pattern LACKING =
      Pattern.compile("LACKS (bubblewrap|namespaces|architecture|cgroups) .*");

  private Doctor() {}

  /** Passes tests of the process tier over where there can be none; CI looks whether that holds. */
  static void assumeProcessTier() {
    Shell doctor =
        Shell.run(RunningKernel.ROOT, Map.of(), Duration.ofMinutes(1), List.of("./aion", "doctor"));
    var lacking = LACKING.matcher(doctor.output());
    boolean lacks = lacking.find();
    assumeFalse(lacks, () -> lacking.group());
  }
}
