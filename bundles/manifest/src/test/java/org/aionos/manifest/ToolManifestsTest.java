package org.aionos.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import org.aionos.document.InvalidDocument;
import org.aionos.document.InvalidDocument.Fault;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ToolManifestsTest {

  private static final String SAMPLE =
      """
      apiVersion: aion.os/v1
      kind: Tool
      metadata: { name: "web_search", version: "1.2.0" }
      spec:
        entry: "wasm:tools/web_search.wasm"   # or "rust:bin/web_search"
        io: { input: { schema: "query:string" }, output: { schema: "items:list" } }
        capabilities_required: ["network"]
        security: { seccomp_profile: "default-restrictive", cgroup: "tool-low" }
        signatures: { cosign: "sigstore://..." }
      """;

  @Test
  void the_sample_is_valid() throws Exception {
    ToolManifest manifest = ToolManifests.read(SAMPLE.getBytes(UTF_8));

    assertThat(manifest.nameAndVersion()).isEqualTo("web_search@1.2.0");
    assertThat(manifest.description()).isEmpty();
    assertThat(manifest.tier()).isEqualTo("wasm");
    assertThat(manifest.target()).isEqualTo("tools/web_search.wasm");
    assertThat(manifest.input()).isEqualTo("query:string");
    assertThat(manifest.output()).isEqualTo("items:list");
    assertThat(manifest.needs()).containsOnly("network");
    assertThat(manifest.security()).containsEntry("cgroup", "tool-low");
    assertThat(manifest.signatures()).containsEntry("cosign", "sigstore://...");
    assertThat(manifest.timeoutMillisMax()).isEqualTo(30_000);
    assertThat(manifest.concurrencyMax()).isEqualTo(64);
  }

  @Test
  void a_name_a_version_and_an_entry_are_enough() throws Exception {
    ToolManifest manifest =
        ToolManifests.read(
            """
            {"apiVersion": "aion.os/v1", "kind": "Tool",
             "metadata": {"name": "echo", "version": "1.0.0"}, "spec": {"entry": "bundle:echo"}}"""
                .getBytes(UTF_8));

    assertThat(manifest.needs()).isEmpty();
    assertThat(manifest.idempotent()).as("what no tool says is not so").isFalse();
    assertThat(manifest.input()).isNull();
    assertThat(manifest.output()).isNull();
  }

  @Test
  void a_tool_says_of_itself_that_it_may_be_called_twice() throws Exception {
    ToolManifest manifest =
        ToolManifests.read(
            """
            {"apiVersion": "aion.os/v1", "kind": "Tool", "metadata": {"name": "echo", "version": "1.0.0"},
             "spec": {"entry": "bundle:echo", "idempotent": true}}"""
                .getBytes(UTF_8));

    assertThat(manifest.idempotent()).isTrue();
  }

  @Test
  void a_target_may_hold_colons_and_a_schema_may_be_an_object() throws Exception {
    ToolManifest manifest =
        ToolManifests.read(
            SAMPLE
                .replace("wasm:tools/web_search.wasm", "mcp:npx:server")
                .replace("{ schema: \"query:string\" }", "{ schema: { type: object } }")
                .replace("security:", "limits: { timeout_ms: 600000, concurrency: 1 }\n  security:")
                .getBytes(UTF_8));

    assertThat(manifest.tier()).isEqualTo("mcp");
    assertThat(manifest.target()).isEqualTo("npx:server");
    assertThat(manifest.input()).isEqualTo(java.util.Map.of("type", "object"));
    assertThat(manifest.timeoutMillisMax()).isEqualTo(600_000);
    assertThat(manifest.concurrencyMax()).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/apiVersion|INVALID|apiVersion: aion.os/v1|apiVersion: v1",
        "/kind|INVALID|kind: Tool|kind: Agent",
        "/kind|MISSING|kind: Tool|kind: ~",
        "/extra|INVALID|kind: Tool|'kind: Tool\nextra: 1'",
        "/metadata/name|INVALID|web_search\"|Web Search\"",
        "/metadata/name|INVALID|\"web_search\"|7",
        "/metadata/version|INVALID|1.2.0|1.2",
        "/metadata/version|INVALID|1.2.0|1.2.0-beta",
        "/metadata/version|MISSING|, version: \"1.2.0\"|''",
        "/metadata/author|INVALID|version:|author: me, version:",
        "/metadata/description|INVALID|version:|description: 7, version:",
        "/spec/entry|MISSING|entry: \"wasm:tools/web_search.wasm\"|entry: ~",
        "/spec/entry|INVALID|wasm:tools/web_search.wasm|java:Main",
        "/spec/entry|INVALID|wasm:tools/web_search.wasm|wasm:",
        "/spec/entry|INVALID|wasm:tools/web_search.wasm|wasm",
        "/spec/entry|INVALID|wasm:tools/web_search.wasm|:x",
        "/spec/io/inputs|INVALID|input:|inputs:",
        "/spec/io/input|INVALID|{ schema: \"query:string\" }|text",
        "/spec/io/input/schema|MISSING|{ schema: \"query:string\" }|{}",
        "/spec/io/output/format|INVALID|{ schema: \"items:list\" }|{ schema: a, format: b }",
        "/spec/capabilities_required|INVALID|[\"network\"]|network",
        "/spec/capabilities_required/0|INVALID|[\"network\"]|[true]",
        "/spec/capabilities_required/1|INVALID|[\"network\"]|[gpu, \"All of them\"]",
        "/spec/security|INVALID|{ seccomp_profile: \"default-restrictive\", cgroup: \"tool-low\" }|low",
        "/spec/signatures|INVALID|{ cosign: \"sigstore://...\" }|none",
        "/spec/limit|INVALID|security:|'limit: 1\n  security:'",
        "/spec/limits/timeout_ms|INVALID|security:|'limits: { timeout_ms: 0 }\n  security:'",
        "/spec/limits/timeout_ms|INVALID|security:|'limits: { timeout_ms: 600001 }\n  security:'",
        "/spec/limits/concurrency|INVALID|security:|'limits: { concurrency: 0 }\n  security:'",
        "/spec/limits/concurrency|INVALID|security:|'limits: { concurrency: 1001 }\n  security:'",
      })
  void a_wrong_field_is_named(String pointer, Fault fault, String before, String after) {
    assertThat(SAMPLE).contains(before);
    byte[] yaml = SAMPLE.replace(before, after).getBytes(UTF_8);

    InvalidDocument invalid =
        catchThrowableOfType(InvalidDocument.class, () -> ToolManifests.read(yaml));

    assertThat(invalid).as("must be refused").isNotNull();
    assertThat(invalid.pointer()).isEqualTo(pointer);
    assertThat(invalid.fault()).isEqualTo(fault);
  }
}
