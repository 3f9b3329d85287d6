package org.aionos.sandbox;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Where programs of the host are looked for; never in a PATH that somebody else has set. */
final class Programs {

  private static final List<Path> FOLDERS =
      List.of(
          Path.of("/usr/bin"), Path.of("/bin"), Path.of("/usr/local/bin"), Path.of("/usr/sbin"));

  private Programs() {}

  static Optional<String> find(String program) {
    return FOLDERS.stream()
        .map(folder -> folder.resolve(program))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst();
  }

  static String found(String program) throws IOException {
    return find(program).orElseThrow(() -> new IOException("there is no " + program));
  }
}
