package org.aionos.gateway;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.aionos.kernel.Role;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.model.Models;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.PreEncodedHttpField;
import org.jspecify.annotations.Nullable;

/** Health, contract, metrics, and what the kernel has installed. */
final class KernelEndpoints {

  private static final HttpField YAML =
      new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, "application/yaml");
  private static final HttpField PROMETHEUS =
      new PreEncodedHttpField(HttpHeader.CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");

  private final Kernel kernel;
  private final byte[] openApi;

  KernelEndpoints(Kernel kernel) {
    this.kernel = kernel;
    this.openApi = resource("/openapi.yaml");
  }

  /** Alive: this process answers. */
  void health(Exchange exchange) {
    exchange.answer(200, Answers.of(Map.of("status", "ok")));
  }

  /** Ready: a syscall would be answered. */
  void ready(Exchange exchange) {
    List<String> missing = new ArrayList<>(kernel.missing());
    if (missing.isEmpty() && kernel.policy().version().id().equals("none")) {
      missing.add("a policy version");
    } else if (missing.isEmpty() && !kernel.policy().behind().isEmpty()) {
      missing.add("the cluster's policy version");
    }
    missing.addAll(kernel.memoryAway());
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("status", missing.isEmpty() ? "ready" : "not ready");
    answer.put("missing", missing);
    exchange.answer(missing.isEmpty() ? 200 : 503, Answers.of(answer));
  }

  void openApi(Exchange exchange) {
    exchange.send(200, YAML, openApi);
  }

  void metrics(Exchange exchange) {
    if (exchange.isAuthenticated()) {
      exchange.requireOfKernel(Role.VIEWER);
    }
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try {
      kernel.meters().writeText(text);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    exchange.send(200, PROMETHEUS, text.toByteArray());
  }

  void tools(Exchange exchange) {
    List<Map<String, @Nullable Object>> items =
        kernel.tools().tools().stream().map(KernelEndpoints::tool).toList();
    exchange.answer(200, Answers.of(Map.of("items", items)));
  }

  void models(Exchange exchange) {
    Models models = kernel.models();
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("items", models.models().stream().map(KernelEndpoints::model).toList());
    // What is wrong with the file is for operators.
    answer.put("rejected", exchange.caller().has(Role.VIEWER) ? models.rejected() : "");
    exchange.answer(200, Answers.of(answer));
  }

  private static Map<String, @Nullable Object> model(Models.Model model) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("name", model.name());
    values.put("default", model.isDefault());
    values.put("routes", model.routes().stream().map(KernelEndpoints::route).toList());
    return values;
  }

  private static Map<String, @Nullable Object> route(Models.Route route) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("provider", route.provider());
    values.put("model", route.model());
    values.put("local", route.local());
    values.put("usd_per_million_tokens_in", route.usdPerMillionTokensIn());
    values.put("usd_per_million_tokens_out", route.usdPerMillionTokensOut());
    values.put("circuit", route.circuit());
    return values;
  }

  private static Map<String, @Nullable Object> tool(ToolCatalog.Installed installed) {
    ToolCatalog.ToolManifest manifest = installed.manifest();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("name", manifest.name());
    values.put("version", manifest.version());
    values.put("description", manifest.description());
    values.put("tier", manifest.tier());
    values.put("capabilities_required", List.copyOf(new TreeSet<>(manifest.needs())));
    values.put("input", manifest.input());
    values.put("output", manifest.output());
    values.put("timeout_ms", manifest.timeoutMillisMax());
    values.put("calls_in_flight", installed.callsInFlight());
    return values;
  }

  private static byte[] resource(String name) {
    try (InputStream in = KernelEndpoints.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("the bundle lacks " + name);
      }
      return in.readAllBytes();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }
}
