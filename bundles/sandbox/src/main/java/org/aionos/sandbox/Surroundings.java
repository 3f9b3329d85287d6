package org.aionos.sandbox;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a program finds behind its walls, beyond what every program does.
 *
 * @param hostName what the host is called inside
 * @param folders of the host, and files, read-only, by where they are inside; none lies in another
 * @param environment besides {@link Walls#ENVIRONMENT}, or in its place
 * @param beginning the folder, as seen inside, in which it begins
 */
record Surroundings(
    String hostName, Map<String, Path> folders, Map<String, String> environment, String beginning) {

  /** Where a tool finds its own files. */
  private static final String TOOL = "/tool";

  private static final String TEMPORARY = "/tmp";

  Surroundings {
    folders = Collections.unmodifiableMap(new TreeMap<>(folders));
    environment = Collections.unmodifiableMap(new TreeMap<>(environment));
  }

  static Surroundings ofTool(Path folder) {
    return new Surroundings("tool", Map.of(TOOL, folder), Map.of(), TEMPORARY);
  }

  /** All of the environment. */
  Map<String, String> wholeEnvironment() {
    Map<String, String> whole = new LinkedHashMap<>(Walls.ENVIRONMENT);
    whole.putAll(environment);
    return whole;
  }
}
