package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.aionos.files.WholeFile;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;

/**
 * The digests that an operator has allowed: a text file, a SHA-256 a line, as {@code sha256sum}
 * writes it. Read at every decision, so an edit counts at once.
 */
final class AllowList {

  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

  static final String TOOLS = "allowed-tools.txt";

  /** The gate below the framework reads it too. */
  static final String BUNDLES = "allowed-bundles.txt";

  private final Path file;
  private final String heading;

  private AllowList(Path file, String heading) {
    this.file = file;
    this.heading = heading;
  }

  static AllowList ofTools(Path folder) {
    return new AllowList(
        folder.resolve(TOOLS),
        "# SHA-256 of each tool jar that may be installed; aion:tool-allow adds one.");
  }

  static AllowList ofBundles(Path folder) {
    return new AllowList(
        folder.resolve(BUNDLES),
        "# SHA-256 of each bundle that the framework may load besides the distribution's;"
            + " aion:bundle-allow adds one.");
  }

  Path file() {
    return file;
  }

  synchronized Set<String> digests() {
    Set<String> digests = new TreeSet<>();
    try {
      for (String line : Files.readAllLines(file, UTF_8)) {
        String digest = line.strip().split("\\s+", 2)[0];
        if (DIGEST.matcher(digest).matches()) {
          digests.add(digest);
        }
      }
    } catch (NoSuchFileException none) {
      return digests;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    return digests;
  }

  boolean allows(String digest) {
    return digests().contains(digest);
  }

  synchronized void add(String digest) {
    Set<String> digests = digests();
    digests.add(checked(digest));
    write(digests);
  }

  synchronized void remove(String digest) {
    Set<String> digests = digests();
    digests.remove(checked(digest));
    write(digests);
  }

  private void write(Set<String> digests) {
    String text = heading + "\n" + String.join("\n", digests) + "\n";
    try {
      WholeFile.write(file, text.getBytes(UTF_8));
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private static String checked(String digest) {
    if (!DIGEST.matcher(digest).matches()) {
      throw new Refused(Code.INVALID_FIELD, "a digest is 64 lower-case hex digits");
    }
    return digest;
  }
}
