package org.aionos.shell;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.osgi.framework.BundleContext;

/** A file of exported memory: in one folder, so that a shell cannot write or read elsewhere. */
final class MemoryFile {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,127}");

  private MemoryFile() {}

  static Path named(String name, BundleContext context) throws IOException {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("the name of a file, without a folder: " + NAME.pattern());
    }
    Path folder = Path.of(String.valueOf(context.getProperty("aion.state")), "exports");
    return Files.createDirectories(folder).resolve(name);
  }
}
