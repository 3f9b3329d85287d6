package org.aionos.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.aionos.document.InvalidDocument.Fault;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class AgentManifestTest {

  private static final String SAMPLE =
      """
      apiVersion: aion.os/v1
      kind: Agent
      metadata: { name: "researcher", version: "1.0.0" }
      spec:
        entry: "python -m my_agent.start"
        priority: 5
        timeout_ms: 120000
        memory: { short_ttl_s: 3600, long_ttl_s: 1209600, episodic_ttl_s: 259200 }
        capabilities: { filesystem: false, network: true, gpu: true, subprocess: false }
        syscalls: [tool.invoke, model.generate, memory.*]
        resources: { cpu: "1000m", mem: "1Gi", gpu: "optional" }
        policy_overrides:
          sla: { p95_ms: 2500 }
          budget: { usd_max: 0.10 }
          privacy: { allow_cloud: false }
      """;

  @Test
  void the_sample_is_valid() throws Exception {
    AgentManifest manifest = AgentManifest.read(SAMPLE);

    assertThat(manifest.name()).isEqualTo("researcher");
    assertThat(manifest.version()).isEqualTo("1.0.0");
    assertThat(manifest.capabilities()).containsExactly("network", "gpu");
    assertThat(manifest.syscalls()).containsExactly("tool.invoke", "model.generate", "memory.*");
    assertThat(manifest.values()).containsEntry("kind", "Agent").containsKey("spec");
  }

  @Test
  void a_name_a_version_and_a_spec_are_enough() throws Exception {
    AgentManifest manifest =
        AgentManifest.read(
            "{apiVersion: aion.os/v1, kind: Agent, metadata: {name: a, version: '1'}, spec: {}}");

    assertThat(manifest.capabilities()).isEmpty();
    assertThat(manifest.syscalls()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "priority: 5|priority: 0",
        "priority: 5|priority: 9",
        "priority: 5|priority: high",
        "timeout_ms: 120000|timeout_ms: 86400000",
        "short_ttl_s: 3600|short_ttl_s: 1",
        "cpu: \"1000m\"|cpu: 2",
        "cpu: \"1000m\"|cpu: 0.5",
        "mem: \"1Gi\"|mem: 1048576",
        "gpu: \"optional\"|gpu: 1",
        "gpu: \"optional\"|gpu: none",
        "usd_max: 0.10|usd_max: 0",
        "[tool.invoke, model.generate, memory.*]|['*']",
        "entry: \"python -m my_agent.start\"|restart: always",
        "entry: \"python -m my_agent.start\"|restart: on-failure",
        "entry: \"python -m my_agent.start\"|code: \"sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
        "name: \"researcher\"|name: \"researcher\", description: \"پژوهشگر\", labels: {a: b}",
      })
  void these_are_valid_too(String before, String after) throws Exception {
    assertThat(SAMPLE).contains(before);
    AgentManifest.read(SAMPLE.replace(before, after));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/apiVersion|apiVersion: aion.os/v1|apiVersion: aion.os/v2",
        "/apiVersion|apiVersion: aion.os/v1|apiVersion: 1",
        "/kind|kind: Agent|kind: Tool",
        "/extra|kind: Agent|'kind: Agent\nextra: 1'",
        "/metadata|metadata: { name: \"researcher\", version: \"1.0.0\" }|metadata: researcher",
        "/metadata/name|name: \"researcher\"|name: \"re searcher\"",
        "/metadata/name|name: \"researcher\"|name: \"../researcher\"",
        "/metadata/name|name: \"researcher\"|name: 7",
        "/metadata/version|version: \"1.0.0\"|version: 1.0",
        "/metadata/version|version: \"1.0.0\"|version: \"\"",
        "/metadata/label|version: \"1.0.0\"|version: \"1.0.0\", label: {}",
        "/spec/entry|entry: \"python -m my_agent.start\"|entry: [python]",
        "/spec/restart|priority: 5|restart: sometimes",
        "/spec/code|priority: 5|code: main.py",
        "/spec/code|priority: 5|code: \"sha256:0123\"",
        "/spec/priority|priority: 5|priority: 10",
        "/spec/priority|priority: 5|priority: -1",
        "/spec/priority|priority: 5|priority: urgent",
        "/spec/priority|priority: 5|priority: 1.5",
        "/spec/timeout_ms|timeout_ms: 120000|timeout_ms: 0",
        "/spec/timeout_ms|timeout_ms: 120000|timeout_ms: 86400001",
        "/spec/timeout_ms|timeout_ms: 120000|timeout_ms: \"120000\"",
        "/spec/timeout|timeout_ms: 120000|timeout: 120000",
        "/spec/memory/short_ttl_s|short_ttl_s: 3600|short_ttl_s: 0",
        "/spec/memory/long_ttl_s|long_ttl_s: 1209600|long_ttl_s: forever",
        "/spec/memory/medium_ttl_s|long_ttl_s: 1209600|medium_ttl_s: 1",
        "/spec/capabilities/network|network: true|network: 1",
        "/spec/capabilities/network|network: true|network: \"true\"",
        "/spec/capabilities/Net work|network: true|\"Net work\": true",
        "/spec/capabilities/a~1b|network: true|a/b: true",
        "/spec/capabilities|{ filesystem: false, network: true, gpu: true, subprocess: false }|[gpu]",
        "/spec/syscalls|[tool.invoke, model.generate, memory.*]|memory.*",
        "/spec/syscalls/1|[tool.invoke, model.generate, memory.*]|[tool.invoke, 7]",
        "/spec/syscalls/2|[tool.invoke, model.generate, memory.*]|[a, a, 'b c']",
        "/spec/resources/cpu|cpu: \"1000m\"|cpu: \"lots\"",
        "/spec/resources/cpu|cpu: \"1000m\"|cpu: -1",
        "/spec/resources/mem|mem: \"1Gi\"|mem: \"1 GB\"",
        "/spec/resources/gpu|gpu: \"optional\"|gpu: maybe",
        "/spec/resources/disk|gpu: \"optional\"|disk: 1",
        "/spec/policy_overrides/sla/p95_ms|p95_ms: 2500|p95_ms: 0",
        "/spec/policy_overrides/sla/p99_ms|p95_ms: 2500|p99_ms: 1",
        "/spec/policy_overrides/budget/usd_max|usd_max: 0.10|usd_max: -0.1",
        "/spec/policy_overrides/budget/usd_max|usd_max: 0.10|usd_max: cheap",
        "/spec/policy_overrides/privacy/allow_cloud|allow_cloud: false|allow_cloud: never",
        "/spec/policy_overrides/extra|sla: { p95_ms: 2500 }|extra: {}",
      })
  void a_wrong_field_is_named(String pointer, String before, String after) {
    InvalidDocument invalid = invalid(before, after);

    assertThat(invalid.fault()).isEqualTo(Fault.INVALID);
    assertThat(invalid.pointer()).isEqualTo(pointer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/apiVersion|apiVersion: aion.os/v1|apiVersion: ~",
        "/kind|kind: Agent|kind: ~",
        "/metadata|metadata: { name: \"researcher\", version: \"1.0.0\" }|metadata: ~",
        "/metadata/name|name: \"researcher\", |''",
        "/metadata/version|, version: \"1.0.0\"|''",
      })
  void a_missing_field_is_named(String pointer, String before, String after) {
    InvalidDocument invalid = invalid(before, after);

    assertThat(invalid.fault()).isEqualTo(Fault.MISSING);
    assertThat(invalid.pointer()).isEqualTo(pointer);
  }

  @Test
  void an_agent_without_a_spec_is_told_so() {
    InvalidDocument invalid =
        invalidText("{apiVersion: aion.os/v1, kind: Agent, metadata: {name: a, version: '1'}}");

    assertThat(invalid.fault()).isEqualTo(Fault.MISSING);
    assertThat(invalid.pointer()).isEqualTo("/spec");
  }

  @Test
  void too_many_syscalls_are_refused() {
    String many = "a, ".repeat(201);

    assertThat(invalid("tool.invoke", many + "a").pointer()).isEqualTo("/spec/syscalls");
  }

  @Test
  void names_of_capabilities() {
    assertThat(
            Map.of(
                "network", true, "net.fetch-2_x", true, "", false, "Network", false, "1a", false))
        .allSatisfy((name, valid) -> assertThat(AgentManifest.isCapability(name)).isEqualTo(valid));
    assertThat(AgentManifest.isCapability("c".repeat(63))).isTrue();
    assertThat(AgentManifest.isCapability("c".repeat(64))).isFalse();
  }

  private static InvalidDocument invalid(String before, String after) {
    assertThat(SAMPLE).contains(before);
    return invalidText(SAMPLE.replace(before, after));
  }

  private static InvalidDocument invalidText(String text) {
    InvalidDocument invalid =
        catchThrowableOfType(InvalidDocument.class, () -> AgentManifest.read(text));
    assertThat(invalid).as("must be refused").isNotNull();
    return invalid;
  }
}
