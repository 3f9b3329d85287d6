package org.aionos.scheduler;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.task.AgentLauncher.Gpu;
import org.aionos.kernel.task.AgentLauncher.Resources;
import org.jspecify.annotations.Nullable;

/**
 * What an agent.yml says of how its agent is run. Null where it says nothing.
 *
 * @param code digest of its code, as {@code sha256:<hex>}
 * @param timeoutMillis of one attempt
 * @param slaMillis within which 95 of 100 tasks are to end
 */
record Manifest(
    @Nullable String entry,
    @Nullable String code,
    @Nullable Integer priority,
    @Nullable Long timeoutMillis,
    @Nullable Long slaMillis,
    @Nullable BigDecimal usdMax,
    Restart restart,
    boolean subprocesses,
    Resources resources) {

  private static final int CPU_PERCENT = 100;
  private static final long MEMORY_BYTES = 512L << 20;

  /** Of an agent that is not registered. */
  static final Manifest NONE =
      new Manifest(
          null,
          null,
          null,
          null,
          null,
          null,
          Restart.NEVER,
          false,
          new Resources(CPU_PERCENT, MEMORY_BYTES, Gpu.NONE));

  /** What becomes of an agent that has ended. */
  enum Restart {
    NEVER,
    ON_FAILURE,
    /** Also after it has ended well: a service. */
    ALWAYS
  }

  static Manifest of(AgentProcess row) {
    try {
      Fields spec = Fields.of(row.manifest(), "").objectOrEmpty("spec");
      Fields overrides = spec.objectOrEmpty("policy_overrides");
      return new Manifest(
          spec.textOrNull("entry"),
          spec.textOrNull("code"),
          Submissions.priority(spec, "priority"),
          spec.wholeNumberOrNull("timeout_ms", 1, Long.MAX_VALUE),
          overrides.objectOrEmpty("sla").wholeNumberOrNull("p95_ms", 1, Long.MAX_VALUE),
          overrides.objectOrEmpty("budget").numberOrNull("usd_max", 0, 1_000_000),
          restart(spec),
          spec.objectOrEmpty("capabilities").flag("subprocess", false),
          resources(spec.objectOrEmpty("resources")));
    } catch (InvalidDocument checkedWhenItWasRegistered) {
      throw new IllegalStateException(checkedWhenItWasRegistered);
    }
  }

  private static Restart restart(Fields spec) throws InvalidDocument {
    return Restart.valueOf(
        spec.text("restart", "on-failure").toUpperCase(Locale.ROOT).replace('-', '_'));
  }

  private static Resources resources(Fields resources) {
    Object gpu = resources.value("gpu");
    return new Resources(
        cpuPercent(resources.value("cpu")),
        bytes(resources.value("mem")),
        gpu == null || gpu.toString().matches("none|0+")
            ? Gpu.NONE
            : gpu.equals("optional") ? Gpu.OPTIONAL : Gpu.REQUIRED);
  }

  /** Thousandths as {@code 500m}, or processors as {@code 2} or {@code 0.5}. */
  private static int cpuPercent(@Nullable Object written) {
    if (written == null) {
      return CPU_PERCENT;
    }
    String text = written.toString();
    BigDecimal percent =
        text.endsWith("m")
            ? new BigDecimal(text.substring(0, text.length() - 1)).movePointLeft(1)
            : new BigDecimal(text).movePointRight(2);
    return Math.max(1, percent.intValue());
  }

  /** As Kubernetes writes it: {@code 512Mi}, {@code 1Gi}, {@code 500M}. */
  private static long bytes(@Nullable Object written) {
    if (written == null) {
      return MEMORY_BYTES;
    }
    String text = written.toString();
    Map<String, Long> units =
        Map.of(
            "Ki",
            1L << 10,
            "Mi",
            1L << 20,
            "Gi",
            1L << 30,
            "K",
            1_000L,
            "M",
            1_000_000L,
            "G",
            1_000_000_000L);
    String digits = text.replaceFirst("\\D.*", "");
    long unit = units.getOrDefault(text.substring(digits.length()), 1L);
    return Math.min(Long.parseLong(digits), Long.MAX_VALUE / unit) * unit;
  }

  /**
   * The program and its arguments: words, which may stand in single or double quotes. No shell
   * reads it.
   */
  static List<String> words(String entry) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inside = false;
    char quote = 0;
    for (char c : entry.toCharArray()) {
      if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else {
          word.append(c);
        }
      } else if (c == '\'' || c == '"') {
        quote = c;
        inside = true;
      } else if (Character.isWhitespace(c)) {
        if (inside) {
          words.add(word.toString());
          word.setLength(0);
          inside = false;
        }
      } else {
        word.append(c);
        inside = true;
      }
    }
    if (inside) {
      words.add(word.toString());
    }
    return words;
  }
}
