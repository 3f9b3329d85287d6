package org.aionos.model;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.aionos.files.FolderWatch;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code config/models.yaml}, as it is in force. A changed file is taken whole or not at all;
 * without a file there is what {@code OLLAMA_URL} names, or nothing.
 */
@Component(service = ModelsFile.class)
public final class ModelsFile {

  private static final Logger log = LoggerFactory.getLogger(ModelsFile.class);
  private static final String NAME = "models.yaml";
  private static final Duration LOOK = Duration.ofMillis(400);
  private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.UTF_8);

  private final Path file;
  private final FolderWatch watch;
  private final Map<String, String> environment;
  private volatile ModelSettings settings;
  private volatile String rejected = "";

  @Activate
  public ModelsFile(BundleContext context) {
    this(Path.of(String.valueOf(context.getProperty("aion.config"))), System.getenv());
    watch.settle();
    watch.start(LOOK);
  }

  ModelsFile(Path folder, Map<String, String> environment) {
    this.environment = environment;
    this.file = folder.resolve(NAME);
    this.watch = new FolderWatch("aion-model-watch", folder, NAME, changed -> reload());
    this.settings = standard(environment);
    reload();
  }

  /** Without a file. */
  private static ModelSettings standard(Map<String, String> environment) {
    try {
      return ModelSettings.read(NOTHING, environment);
    } catch (InvalidDocument malformed) {
      log.error("OLLAMA_URL refused: why={}", malformed.why());
      try {
        return ModelSettings.read(NOTHING, Map.of());
      } catch (InvalidDocument impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }

  @Deactivate
  void close() {
    watch.close();
  }

  /** The same object until another file is in force. */
  ModelSettings now() {
    return settings;
  }

  /** Why the file that is there now is not in force; empty if it is. */
  String rejected() {
    return rejected;
  }

  final void reload() {
    try {
      byte[] yaml = bytes();
      settings = ModelSettings.read(yaml.length == 0 ? NOTHING : yaml, environment);
      rejected = "";
      log.info(
          "models activated: providers={} models={}",
          settings.providers().keySet(),
          settings.models().keySet());
    } catch (InvalidDocument invalid) {
      reject(invalid.describe());
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    }
  }

  /** Empty for no file, and for one of comments alone. */
  private byte[] bytes() throws IOException {
    try {
      byte[] yaml = Files.readAllBytes(file);
      boolean says =
          new String(yaml, StandardCharsets.UTF_8)
              .lines()
              .map(String::strip)
              .anyMatch(line -> !line.isEmpty() && !line.startsWith("#"));
      return says ? yaml : new byte[0];
    } catch (NoSuchFileException none) {
      return new byte[0];
    }
  }

  private void reject(String why) {
    rejected = why;
    log.error("models refused, the last good ones are kept: file={} why={}", file, why);
  }
}
