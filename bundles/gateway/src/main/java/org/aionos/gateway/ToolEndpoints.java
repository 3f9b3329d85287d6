package org.aionos.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.ToolCanaries.Canary;
import org.aionos.kernel.ToolCanaries.Figures;
import org.aionos.kernel.ToolInstaller.Plan;
import org.aionos.kernel.ToolInstaller.Signer;
import org.aionos.kernel.ToolInstaller.Verdict;
import org.jspecify.annotations.Nullable;

/**
 * Tools over HTTP, in two steps: first what a jar would change, then, with its digest for a word,
 * the change. Nobody installs by this what was not looked at.
 */
final class ToolEndpoints {

  private final Kernel kernel;

  ToolEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void install(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    boolean planOnly = isPlan(exchange.query("plan"));
    try {
      Fields fields = exchange.document().only("jar", "signature", "digest", "force", "canary");
      byte[] jar = jar(fields);
      String signed = fields.textOrNull("signature");
      byte[] signature = signed == null ? null : signed.getBytes(UTF_8);
      exchange.answer(
          200,
          Answers.of(
              planOnly
                  ? values(kernel.installer().verdict(jar, signature), false)
                  : values(install(exchange, fields, jar, signature), true)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  private Verdict install(Exchange exchange, Fields fields, byte[] jar, byte @Nullable [] signature)
      throws InvalidDocument {
    if (!fields.text("digest").equals(sha256(jar))) {
      throw fields.invalid("digest", "must be the SHA-256 of the jar, as the plan says it");
    }
    boolean force = fields.flag("force", false);
    Long percent = fields.wholeNumberOrNull("canary", 1, 99);
    return percent == null
        ? kernel.installer().install(jar, signature, force, by(exchange))
        : kernel.canaries().begin(jar, signature, force, percent.intValue(), by(exchange));
  }

  void canaries(Exchange exchange) {
    exchange.answer(
        200,
        Answers.of(
            Map.of(
                "items",
                kernel.canaries().canaries().stream().map(ToolEndpoints::values).toList())));
  }

  void weigh(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    try {
      Fields fields = exchange.document().only("percent");
      Long percent = fields.wholeNumberOrNull("percent", 1, 99);
      if (percent == null) {
        throw fields.missing("percent");
      }
      exchange.answer(
          200,
          Answers.of(
              values(
                  kernel.canaries().weigh(exchange.segment(0), percent.intValue(), by(exchange)))));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    }
  }

  void promote(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    kernel.canaries().promote(exchange.segment(0), by(exchange));
    exchange.answer(200, Answers.of(Map.of("tool", exchange.segment(0), "status", "promoted")));
  }

  void end(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    kernel.canaries().end(exchange.segment(0), by(exchange));
    exchange.answer(200, Answers.of(Map.of("tool", exchange.segment(0), "status", "ended")));
  }

  private static String by(Exchange exchange) {
    return "http:" + exchange.caller().keyId();
  }

  private static Map<String, @Nullable Object> values(Canary canary) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("tool", canary.tool());
    values.put("version", canary.version());
    values.put("beside", canary.beside());
    values.put("percent", canary.percent());
    values.put("figures", values(canary.figures()));
    values.put("figures_beside", values(canary.figuresBeside()));
    return values;
  }

  private static Map<String, Object> values(Figures figures) {
    return Map.of(
        "calls", figures.calls(),
        "failed_percent", figures.failedPercent(),
        "latency_ms_p95", figures.latencyMillisP95());
  }

  private static boolean isPlan(@Nullable String plan) {
    if (plan == null || plan.equals("false")) {
      return false;
    }
    if (plan.equals("true")) {
      return true;
    }
    throw new Refused(Code.INVALID_FIELD, "the query parameter plan must be true or false");
  }

  private static byte[] jar(Fields fields) throws InvalidDocument {
    try {
      return Base64.getDecoder().decode(fields.text("jar"));
    } catch (IllegalArgumentException notBase64) {
      throw fields.invalid("jar", "must be base64");
    }
  }

  private static Map<String, @Nullable Object> values(Verdict verdict, boolean installed) {
    Plan plan = verdict.plan();
    Signer signer = verdict.signer();
    Problem refusal = verdict.refusal();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("name", plan.name());
    values.put("version", plan.version());
    values.put("replaces", plan.replaces());
    values.put("digest", plan.digest());
    values.put("tier", verdict.tier());
    values.put(
        "signer",
        signer == null ? null : Map.of("vendor", signer.vendor(), "key_id", signer.key()));
    values.put("allowed_by_operator", plan.allowed());
    values.put("capabilities_added", plan.capabilitiesAdded());
    values.put("capabilities_dropped", plan.capabilitiesDropped());
    values.put("refusal", refusal == null ? null : refusal(refusal));
    values.put("forcible", verdict.forcible());
    values.put("stops", verdict.stops());
    values.put("calls_in_flight", verdict.callsInFlight());
    values.put("installed", installed);
    return values;
  }

  private static Map<String, Object> refusal(Problem refusal) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("code", refusal.code().name());
    values.put("rule", refusal.rule() == null ? "" : refusal.rule());
    values.put("message", refusal.message());
    return values;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
