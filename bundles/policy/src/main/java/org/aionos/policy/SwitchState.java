package org.aionos.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.policy.PolicyVersions.Figures;
import org.jspecify.annotations.Nullable;

/**
 * What outlives a restart beside the versions and the link. The link says which version is in
 * force; where this says something else, the link is right.
 *
 * @param now the version switched to last; null for none yet
 * @param formers names of versions that were in force, the latest first
 * @param taken SHA-256 of the operator's file as it was last taken in; null if none was
 * @param called why an operator is called; empty if none is
 */
record SwitchState(
    @Nullable String now,
    List<String> formers,
    @Nullable String taken,
    @Nullable Canary canary,
    @Nullable Watch watch,
    String called) {

  static final SwitchState NONE = new SwitchState(null, List.of(), null, null, null, "");

  private static final int NAMES_MAX = 10_000;

  /** A version that some have. */
  record Canary(String version, @Nullable Integer percent, Set<String> tenants, Instant since) {}

  /**
   * A version that all have since a short while.
   *
   * @param before what goes back into force if it does not do well
   * @param figures of the time before
   */
  record Watch(String version, String before, Instant since, Figures figures) {}

  SwitchState {
    formers = List.copyOf(formers);
  }

  /** Once another version has come into force. */
  SwitchState after(@Nullable String before, String next, @Nullable Watch watch) {
    Set<String> names = new LinkedHashSet<>();
    if (before != null) {
      names.add(before);
    }
    names.addAll(formers);
    names.remove(next);
    return new SwitchState(next, new ArrayList<>(names), taken, null, watch, "");
  }

  SwitchState withTaken(String sha256) {
    return new SwitchState(now, formers, sha256, canary, watch, called);
  }

  SwitchState withCanary(@Nullable Canary other) {
    return new SwitchState(now, formers, taken, other, watch, called);
  }

  SwitchState withWatch(@Nullable Watch other) {
    return new SwitchState(now, formers, taken, canary, other, called);
  }

  SwitchState withCalled(String why) {
    return new SwitchState(now, formers, taken, canary, watch, why);
  }

  /** Null if there is none. */
  static @Nullable SwitchState read(Path file) throws IOException, InvalidDocument {
    try {
      return of(Documents.kept(Files.readAllBytes(file)));
    } catch (NoSuchFileException never) {
      return null;
    } catch (DateTimeException unreadable) {
      throw new InvalidDocument(InvalidDocument.Fault.INVALID, "", "is damaged");
    }
  }

  private static SwitchState of(Fields fields) throws InvalidDocument {
    return new SwitchState(
        fields.textOrNull("now"),
        List.copyOf(fields.texts("formers", NAMES_MAX)),
        fields.textOrNull("taken"),
        fields.has("canary") ? canary(fields.object("canary")) : null,
        fields.has("watch") ? watch(fields.object("watch")) : null,
        fields.text("called", ""));
  }

  private static Canary canary(Fields fields) throws InvalidDocument {
    Long percent = fields.wholeNumberOrNull("percent", 1, 99);
    return new Canary(
        fields.text("version"),
        percent == null ? null : percent.intValue(),
        Set.copyOf(fields.texts("tenants", NAMES_MAX)),
        Instant.parse(fields.text("since")));
  }

  private static Watch watch(Fields fields) throws InvalidDocument {
    Fields figures = fields.object("figures");
    return new Watch(
        fields.text("version"),
        fields.text("before"),
        Instant.parse(fields.text("since")),
        new Figures(
            figures.wholeNumber("calls", 0, 0, Long.MAX_VALUE),
            number(figures, "error_rate"),
            number(figures, "p95_ms"),
            number(figures, "usd_per_hour")));
  }

  private static double number(Fields fields, String name) {
    return fields.value(name) instanceof Number number ? number.doubleValue() : 0;
  }

  byte[] json() {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("now", now);
    values.put("formers", formers);
    values.put("taken", taken);
    values.put("called", called);
    if (canary != null) {
      Map<String, @Nullable Object> some = new LinkedHashMap<>();
      some.put("version", canary.version());
      some.put("percent", canary.percent());
      some.put("tenants", List.copyOf(new TreeSet<>(canary.tenants())));
      some.put("since", canary.since().toString());
      values.put("canary", some);
    }
    if (watch != null) {
      Figures figures = watch.figures();
      values.put(
          "watch",
          Map.of(
              "version",
              watch.version(),
              "before",
              watch.before(),
              "since",
              watch.since().toString(),
              "figures",
              Map.of(
                  "calls", figures.calls(),
                  "error_rate", figures.errorRate(),
                  "p95_ms", figures.latencyMillisP95(),
                  "usd_per_hour", figures.usdPerHour())));
    }
    return Documents.write(values);
  }
}
