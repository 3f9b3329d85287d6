package org.aionos.trust;

import java.util.Arrays;
import java.util.regex.Pattern;

/** A version of three numbers, by which old and new tools are told apart. */
record ToolVersion(int major, int minor, int patch) implements Comparable<ToolVersion> {

  static final Pattern FORM = Pattern.compile("\\d{1,5}\\.\\d{1,5}\\.\\d{1,5}");

  /**
   * @param text of the {@link #FORM} that manifests are held to
   */
  static ToolVersion of(String text) {
    int[] parts = Arrays.stream(text.split("\\.", -1)).mapToInt(Integer::parseInt).toArray();
    return new ToolVersion(parts[0], parts[1], parts[2]);
  }

  @Override
  public int compareTo(ToolVersion other) {
    return Arrays.compare(
        new int[] {major, minor, patch}, new int[] {other.major, other.minor, other.patch});
  }

  @Override
  public String toString() {
    return major + "." + minor + "." + patch;
  }
}
