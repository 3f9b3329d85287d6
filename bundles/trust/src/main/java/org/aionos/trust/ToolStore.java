package org.aionos.trust;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.ToolInstaller.Signer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which tools are to run, and their bytes: what a restart builds on. The framework's own cache is
 * not trusted with that: its bytes are not looked at again.
 */
final class ToolStore {

  private static final Logger log = LoggerFactory.getLogger(ToolStore.class);

  private static final String JAR = ".jar";
  private static final String SIGNATURE = ".signature";

  private final Path folder;
  private final Path index;

  /** Tool name to what runs under it. */
  private final Map<String, Entry> tools = new TreeMap<>();

  /** Tool name to what runs beside it, for a share of its calls. */
  private final Map<String, Share> canaries = new TreeMap<>();

  /**
   * Files of deploy/ to the digest that was last installed from them, also if another took its
   * place.
   */
  private final Map<String, String> files = new TreeMap<>();

  /**
   * @param file the file in deploy/ that it came from; null if an operator installed it by hand
   * @param signer who signed it; null if an operator allowed its digest
   * @param admitted when it was let in: its key had to be valid then
   */
  record Entry(
      String version,
      String digest,
      @Nullable String file,
      @Nullable Signer signer,
      Instant admitted) {}

  /**
   * @param percent of the calls that name no version
   */
  record Share(Entry entry, int percent) {}

  ToolStore(Path folder) {
    this.folder = folder;
    this.index = folder.resolve("installed.json");
    load();
  }

  synchronized Map<String, Entry> tools() {
    return Map.copyOf(tools);
  }

  synchronized Map<String, Share> canaries() {
    return Map.copyOf(canaries);
  }

  synchronized @Nullable String seen(String file) {
    return files.get(file);
  }

  /** Keeps a tool's bytes and makes it the one that runs under its name. */
  synchronized void put(ToolJar jar, byte @Nullable [] signature, Entry entry) {
    keep(jar, signature);
    tools.put(jar.manifest().name(), entry);
    save();
  }

  /** Keeps a tool's bytes and lets it run beside the one of its name. */
  synchronized void putBeside(ToolJar jar, byte @Nullable [] signature, Share share) {
    keep(jar, signature);
    canaries.put(jar.manifest().name(), share);
    save();
  }

  synchronized void weigh(String tool, Share share) {
    canaries.put(tool, share);
    save();
  }

  /** What ran beside takes the place of what it ran beside. */
  synchronized void promote(String tool, Entry entry) {
    canaries.remove(tool);
    tools.put(tool, entry);
    save();
  }

  synchronized void removeCanary(String tool) {
    canaries.remove(tool);
    save();
  }

  private void keep(ToolJar jar, byte @Nullable [] signature) {
    try {
      Path kept = jarFile(jar.digest());
      // What is there may have been spoilt; the jar at hand was checked a moment ago.
      if (!Files.exists(kept) || !Arrays.equals(Files.readAllBytes(kept), jar.bytes())) {
        WholeFile.write(kept, jar.bytes());
      }
      if (signature != null) {
        WholeFile.write(signatureFile(jar.digest()), signature);
      } else {
        Files.deleteIfExists(signatureFile(jar.digest()));
      }
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  synchronized void remove(String tool) {
    tools.remove(tool);
    save();
  }

  synchronized void saw(String file, @Nullable String digest) {
    if (digest == null) {
      files.remove(file);
    } else {
      files.put(file, digest);
    }
    save();
  }

  byte[] bytes(String digest) throws IOException {
    return Files.readAllBytes(jarFile(digest));
  }

  /** What came beside the jar; null if nothing did. */
  byte @Nullable [] signature(String digest) throws IOException {
    Path file = signatureFile(digest);
    return Files.exists(file) ? Files.readAllBytes(file) : null;
  }

  private Path jarFile(String digest) {
    return folder.resolve(digest + JAR);
  }

  private Path signatureFile(String digest) {
    return folder.resolve(digest + SIGNATURE);
  }

  private void save() {
    Map<String, Object> rows = new LinkedHashMap<>();
    tools.forEach((name, entry) -> rows.put(name, row(entry)));
    Map<String, Object> beside = new LinkedHashMap<>();
    canaries.forEach(
        (name, share) -> {
          Map<String, Object> row = row(share.entry());
          row.put("percent", share.percent());
          beside.put(name, row);
        });
    try {
      WholeFile.write(
          index, Documents.write(Map.of("tools", rows, "canaries", beside, "files", files)));
      dropUnused();
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private static Map<String, Object> row(Entry entry) {
    Map<String, Object> row = new LinkedHashMap<>();
    row.put("version", entry.version());
    row.put("digest", entry.digest());
    if (entry.file() != null) {
      row.put("file", entry.file());
    }
    row.put("admitted", entry.admitted().toString());
    Signer signer = entry.signer();
    if (signer != null) {
      row.put("vendor", signer.vendor());
      row.put("key", signer.key());
    }
    return row;
  }

  private boolean isUsed(String digest) {
    return tools.values().stream().anyMatch(entry -> entry.digest().equals(digest))
        || canaries.values().stream().anyMatch(share -> share.entry().digest().equals(digest));
  }

  private void dropUnused() throws IOException {
    try (var kept = Files.newDirectoryStream(folder, "*{" + JAR + "," + SIGNATURE + "}")) {
      for (Path file : kept) {
        String name = file.getFileName().toString();
        String digest = name.substring(0, name.lastIndexOf('.'));
        if (!isUsed(digest)) {
          Files.delete(file);
        }
      }
    }
  }

  private void load() {
    if (!Files.exists(index)) {
      return;
    }
    try {
      Fields root = Documents.json(Files.readAllBytes(index));
      for (Map.Entry<String, Fields> row : root.objects("tools").entrySet()) {
        tools.put(row.getKey(), entry(row.getValue()));
      }
      for (Map.Entry<String, Fields> row : root.objects("canaries").entrySet()) {
        int percent = (int) row.getValue().wholeNumber("percent", 1, 1, 99);
        canaries.put(row.getKey(), new Share(entry(row.getValue()), percent));
      }
      Fields seen = root.objectOrEmpty("files");
      for (String file : seen.names()) {
        files.put(file, seen.text(file));
      }
    } catch (IOException | InvalidDocument | DateTimeException damaged) {
      // Fail closed: nothing runs that we cannot account for. The jars in deploy/ come in again.
      log.error("the table of installed tools cannot be read; starting with none", damaged);
    }
  }

  private static Entry entry(Fields row) throws InvalidDocument {
    String vendor = row.textOrNull("vendor");
    return new Entry(
        row.text("version"),
        row.text("digest"),
        row.textOrNull("file"),
        vendor == null ? null : new Signer(vendor, row.text("key")),
        // Of a table from before there were signatures: no key is asked about these.
        Instant.parse(row.text("admitted", Instant.EPOCH.toString())));
  }
}
