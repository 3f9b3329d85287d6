package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.aionos.kernel.task.AgentLauncher;
import org.osgi.framework.Bundle;

/** The Python SDK that comes with this kernel, which every agent finds in its path. */
final class SdkFolder implements AgentLauncher.Folder {

  private static final String PACKAGE = "aion_sdk";

  private final Map<String, byte[]> files;
  private final String digest;

  /** By name; all in one folder. */
  SdkFolder(SortedMap<String, byte[]> files) {
    this.files = files;
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      files.forEach(
          (name, bytes) -> {
            sha256.update(name.getBytes(UTF_8));
            sha256.update(bytes);
          });
      this.digest = HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  /** Reads it out of the bundle, which the build has put it into. */
  static SdkFolder of(Bundle bundle) {
    SortedMap<String, byte[]> files = new TreeMap<>();
    Enumeration<URL> found = bundle.findEntries(PACKAGE, "*", false);
    while (found != null && found.hasMoreElements()) {
      URL file = found.nextElement();
      try (InputStream in = file.openStream()) {
        files.put(file.getPath().substring(file.getPath().lastIndexOf('/') + 1), in.readAllBytes());
      } catch (IOException broken) {
        throw new UncheckedIOException(broken);
      }
    }
    files.remove("");
    return new SdkFolder(files);
  }

  @Override
  public String digest() {
    return digest;
  }

  @Override
  public void copyTo(Path empty) throws IOException {
    Path folder = Files.createDirectory(empty.resolve(PACKAGE));
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
  }
}
