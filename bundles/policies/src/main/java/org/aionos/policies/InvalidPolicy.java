package org.aionos.policies;

import static java.util.stream.Collectors.joining;

import java.io.Serial;
import java.util.List;

/** A policy that cannot be used: what is wrong, and where. Safe to show to its author. */
public final class InvalidPolicy extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  /** Whoever has so many to mend begins with the first ones. */
  static final int FAULTS_MAX = 20;

  private static final int SHOWN = 3;

  private final transient List<Fault> faults;

  /**
   * One thing that is wrong.
   *
   * @param file the file it stands in; empty for the version as a whole
   * @param pointer JSON pointer (RFC 6901) within the file; empty for the file itself
   */
  public record Fault(String file, String pointer, String why) {

    @Override
    public String toString() {
      String where = file + (pointer.isEmpty() ? "" : "#" + pointer);
      return where.isEmpty() ? why : where + ": " + why;
    }
  }

  InvalidPolicy(List<Fault> faults) {
    super(describe(faults), null, false, false);
    this.faults = List.copyOf(faults);
  }

  static InvalidPolicy of(String file, String pointer, String why) {
    return new InvalidPolicy(List.of(new Fault(file, pointer, why)));
  }

  /** At least one. */
  public List<Fault> faults() {
    return faults;
  }

  /** The first ones in a line, for logs and shells. */
  public String describe() {
    return describe(faults);
  }

  private static String describe(List<Fault> faults) {
    String first = faults.stream().limit(SHOWN).map(Fault::toString).collect(joining("; "));
    return faults.size() <= SHOWN ? first : first + "; and " + (faults.size() - SHOWN) + " more";
  }
}
