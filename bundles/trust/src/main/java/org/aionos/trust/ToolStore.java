package org.aionos.trust;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which tools are to run, and their bytes: what a restart builds on. The framework's own cache is
 * not trusted with that: its bytes are not looked at again.
 */
final class ToolStore {

  private static final Logger log = LoggerFactory.getLogger(ToolStore.class);

  private final Path folder;
  private final Path index;

  /** Tool name to what runs under it. */
  private final Map<String, Entry> tools = new TreeMap<>();

  /**
   * Files of deploy/ to the digest that was last installed from them, also if another took its
   * place.
   */
  private final Map<String, String> files = new TreeMap<>();

  /**
   * @param file the file in deploy/ that it came from; null if an operator installed it by hand
   */
  record Entry(String version, String digest, @Nullable String file) {}

  ToolStore(Path folder) {
    this.folder = folder;
    this.index = folder.resolve("installed.json");
    load();
  }

  synchronized Map<String, Entry> tools() {
    return Map.copyOf(tools);
  }

  synchronized @Nullable String seen(String file) {
    return files.get(file);
  }

  /** Keeps a tool's bytes and makes it the one that runs under its name. */
  synchronized void put(ToolJar jar, @Nullable String file) {
    try {
      Path kept = jarFile(jar.digest());
      if (!Files.exists(kept)) {
        WholeFile.write(kept, jar.bytes());
      }
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    tools.put(jar.manifest().name(), new Entry(jar.manifest().version(), jar.digest(), file));
    save();
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

  private Path jarFile(String digest) {
    return folder.resolve(digest + ".jar");
  }

  private void save() {
    Map<String, Object> rows = new LinkedHashMap<>();
    tools.forEach(
        (name, entry) -> {
          Map<String, Object> row = new LinkedHashMap<>();
          row.put("version", entry.version());
          row.put("digest", entry.digest());
          if (entry.file() != null) {
            row.put("file", entry.file());
          }
          rows.put(name, row);
        });
    try {
      WholeFile.write(index, Documents.write(Map.of("tools", rows, "files", files)));
      dropUnused();
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  private void dropUnused() throws IOException {
    try (var kept = Files.newDirectoryStream(folder, "*.jar")) {
      for (Path jar : kept) {
        String digest = jar.getFileName().toString().replace(".jar", "");
        if (tools.values().stream().noneMatch(entry -> entry.digest().equals(digest))) {
          Files.delete(jar);
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
        Fields entry = row.getValue();
        tools.put(
            row.getKey(),
            new Entry(entry.text("version"), entry.text("digest"), entry.textOrNull("file")));
      }
      Fields seen = root.objectOrEmpty("files");
      for (String file : seen.names()) {
        files.put(file, seen.text(file));
      }
    } catch (IOException | InvalidDocument damaged) {
      // Fail closed: nothing runs that we cannot account for. The jars in deploy/ come in again.
      log.error("the table of installed tools cannot be read; starting with none", damaged);
    }
  }
}
