package org.aionos.router;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the operator set for each tool, from {@code config/tools.yaml}. A changed file is taken
 * whole or not at all: one that is no good keeps the last good one, and at the start nothing is
 * set. Never secrets: a tool, and so an agent, may see what stands there.
 */
@Component(service = ToolSettings.class)
public final class ToolSettings {

  static final String FILE_NAME = "tools.yaml";

  private static final Logger log = LoggerFactory.getLogger(ToolSettings.class);

  private static final Duration LOOK = Duration.ofMillis(500);
  private static final Pattern TOOL = Pattern.compile("[a-z][a-z0-9_.-]{0,62}");
  private static final int TOOLS_MAX = 1_000;
  private static final String PRICE = "price_usd";
  private static final int PRICE_USD_MAX = 1_000;

  /** They are told to the tool with each call that asks. */
  private static final int TOOL_BYTES_MAX = 65_536;

  private final Path file;
  private final Journal journal;
  private final FolderWatch watch;

  /**
   * @param told what a tool is told, by its name
   * @param pricesUsd of one call
   */
  private record InForce(
      Map<String, Map<String, @Nullable Object>> told, Map<String, BigDecimal> pricesUsd) {}

  private static final InForce NOTHING = new InForce(Map.of(), Map.of());

  private volatile InForce inForce = NOTHING;

  @Activate
  public ToolSettings(BundleContext context, @Reference(name = "journal") Journal journal) {
    this(Path.of(String.valueOf(context.getProperty("aion.config"))), journal);
    watch.settle();
    reload();
    watch.start(LOOK);
  }

  ToolSettings(Path folder, Journal journal) {
    this.file = folder.resolve(FILE_NAME);
    this.journal = journal;
    this.watch =
        new FolderWatch("aion-tool-settings-watch", folder, FILE_NAME, changed -> reload());
  }

  @Deactivate
  void close() {
    watch.close();
  }

  Map<String, @Nullable Object> of(String tool) {
    return inForce.told.getOrDefault(tool, Map.of());
  }

  /** What one call of a tool costs its agent, besides what the tool says itself. */
  BigDecimal priceUsd(String tool) {
    return inForce.pricesUsd.getOrDefault(tool, BigDecimal.ZERO);
  }

  void reload() {
    try {
      InForce read = read(Files.readAllBytes(file));
      record("tool_settings.activated", Map.of("tools", String.join(",", read.told.keySet())));
      inForce = read;
      log.info("tool settings activated: tools={}", read.told.keySet());
    } catch (NoSuchFileException none) {
      inForce = NOTHING;
      log.info("tool settings: there is no {}, so nothing is set", FILE_NAME);
    } catch (InvalidDocument invalid) {
      reject(invalid.describe());
    } catch (IOException | Refused unreadable) {
      reject(String.valueOf(unreadable.getMessage()));
    }
  }

  private static InForce read(byte[] yaml) throws InvalidDocument {
    Fields root = Documents.yaml(yaml).only("apiVersion", "kind", "tools");
    if (!root.text("apiVersion").equals("aion.os/v1")) {
      throw root.invalid("apiVersion", "must be aion.os/v1");
    }
    if (!root.text("kind").equals("ToolSettings")) {
      throw root.invalid("kind", "must be ToolSettings");
    }
    Map<String, Fields> tools = root.objects("tools");
    if (tools.size() > TOOLS_MAX) {
      throw root.invalid("tools", "are more than " + TOOLS_MAX);
    }
    Map<String, Map<String, @Nullable Object>> settings = new LinkedHashMap<>();
    Map<String, BigDecimal> pricesUsd = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> tool : tools.entrySet()) {
      settings.put(tool.getKey(), checked(root, tool.getKey(), tool.getValue()));
      BigDecimal priceUsd = tool.getValue().numberOrNull(PRICE, 0, PRICE_USD_MAX);
      if (priceUsd != null) {
        pricesUsd.put(tool.getKey(), priceUsd);
      }
    }
    return new InForce(settings, pricesUsd);
  }

  private static Map<String, @Nullable Object> checked(Fields root, String tool, Fields settings)
      throws InvalidDocument {
    if (!TOOL.matcher(tool).matches()) {
      throw root.invalid("tools", "'" + tool + "' is no tool's name: " + TOOL.pattern());
    }
    if (Documents.write(settings.values()).length > TOOL_BYTES_MAX) {
      throw root.invalid(
          "tools", "those of " + tool + " have more than " + TOOL_BYTES_MAX + " bytes");
    }
    return settings.values();
  }

  private void reject(String why) {
    log.error("tool settings refused, the last good ones are kept: file={} why={}", file, why);
    try {
      record("tool_settings.refused", Map.of("why", why));
    } catch (Refused away) {
      log.error("the refusal of {} could not be recorded", file);
    }
  }

  private void record(String kind, Map<String, Object> facts) {
    journal.record(new Journal.Event("kernel.router", kind, null, facts));
  }
}
