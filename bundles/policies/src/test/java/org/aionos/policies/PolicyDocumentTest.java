package org.aionos.policies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.NumericChars;
import net.jqwik.api.constraints.StringLength;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.policy.Tuning;
import org.aionos.kernel.task.Tier;

final class PolicyDocumentTest {

  private static final String CAPABILITIES =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "Autumn 7"
      global: { allow: [network] }
      tenants: { acme: , beta: { allow: [network] } }
      """;

  private static Map<String, String> with(String file, String text) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put(PolicyDocument.CAPABILITIES, CAPABILITIES);
    files.put(file, "apiVersion: aion.os/v1\n" + text);
    return files;
  }

  private static void refuses(String file, String text, String pointer) {
    assertThatThrownBy(() -> PolicyDocument.ofTexts(with(file, text)))
        .isInstanceOfSatisfying(
            InvalidPolicy.class,
            invalid -> {
              assertThat(invalid.faults().get(0).file()).isEqualTo(file);
              assertThat(invalid.faults()).extracting("pointer").contains(pointer);
            });
  }

  @Example
  void says_what_each_file_says() throws Exception {
    Map<String, String> files =
        with(
            PolicyDocument.QUOTAS,
            """
            kind: QuotaPolicy
            default: { max_concurrency: 6, usd_per_hour: 1.5 }
            default_agent: { calls_per_hour: 10 }
            tenants: { acme: { max_concurrency: 2, agents: { one: { token_rate: 7 } } } }
            """);
    files.put(
        PolicyDocument.SCHEDULER,
        """
        apiVersion: aion.os/v1
        kind: SchedulerPolicy
        weights: { high: 8, normal: 3, low: 1 }
        slice_ms: 500
        """);
    files.put(
        PolicyDocument.MODELS,
        """
        apiVersion: aion.os/v1
        kind: ModelPolicy
        routes: { fast: [local/small, cloud/big], best: [cloud/big] }
        allow_cloud: false
        tenants: { acme: { routes: { fast: [local/small] }, allow_cloud: true } }
        """);
    files.put(
        PolicyDocument.MEMORY,
        """
        apiVersion: aion.os/v1
        kind: MemoryPolicy
        tenant_bytes_max: 1000
        tenants: { acme: { tenant_bytes_max: 10 } }
        """);
    files.put(
        PolicyDocument.GATES,
        """
        apiVersion: aion.os/v1
        kind: GatePolicy
        interval_s: 5
        gates:
          - { name: errors, metric: error_rate, max: 0.1, max_ratio: 2 }
          - { name: queue, metric: query, max: 100, query: { metric: aion_queue, labels: { queue: high } } }
        """);

    PolicyDocument document = PolicyDocument.ofTexts(files);

    assertThat(document.quota("acme"))
        .isEqualTo(new Tuning.Quota(2, null, new BigDecimal("1.5"), null));
    assertThat(document.quota("other").maxConcurrency()).isEqualTo(6);
    assertThat(document.quota(new AgentId("acme", "one")))
        .isEqualTo(new Tuning.Quota(null, 7L, null, 10L));
    assertThat(document.scheduling().weights()).containsEntry(Tier.HIGH, 8);
    assertThat(document.scheduling().sliceMillis()).isEqualTo(500);
    assertThat(document.scheduling().ageingMillis()).isNull();
    assertThat(document.models("acme").routes())
        .containsEntry("fast", List.of("local/small"))
        .containsEntry("best", List.of("cloud/big"));
    assertThat(document.models("acme").allowCloud()).isFalse();
    assertThat(document.memory("acme").tenantBytesMax()).isEqualTo(10);
    assertThat(document.memory("other").tenantBytesMax()).isEqualTo(1_000);
    assertThat(document.gates().intervalSeconds()).isEqualTo(5);
    assertThat(document.gates().gates()).hasSize(2);
    assertThat(document.suggestedName(8)).matches("autumn7-[0-9a-f]{8}");
  }

  @Example
  void a_version_without_a_file_says_nothing_of_its_matter_but_is_never_without_gates()
      throws Exception {
    PolicyDocument document = Drawn.document(CAPABILITIES);

    assertThat(document.quota("acme")).isEqualTo(Tuning.Quota.UNSAID);
    assertThat(document.scheduling()).isEqualTo(Tuning.Scheduling.UNSAID);
    assertThat(document.models("acme")).isEqualTo(Tuning.Models.UNSAID);
    assertThat(document.memory("acme")).isEqualTo(Tuning.Memory.UNSAID);
    assertThat(document.gates()).isEqualTo(Gates.USUAL);
  }

  @Example
  void what_is_wrong_is_named_by_file_and_pointer() {
    refuses(PolicyDocument.QUOTAS, "kind: QuotaPolicy\ndefault: { usd: 1 }", "/default/usd");
    refuses(
        PolicyDocument.QUOTAS,
        "kind: QuotaPolicy\ndefault: { max_concurrency: -1 }",
        "/default/max_concurrency");
    refuses(
        PolicyDocument.QUOTAS, "kind: QuotaPolicy\ntenants: { \"../x\": {} }", "/tenants/..~1x");
    refuses(PolicyDocument.QUOTAS, "kind: Other", "/kind");
    refuses(PolicyDocument.QUOTAS, "default: {}", "/kind");
    refuses(
        PolicyDocument.SCHEDULER, "kind: SchedulerPolicy\nweights: { high: 1 }", "/weights/low");
    refuses(
        PolicyDocument.MODELS, "kind: ModelPolicy\nroutes: { fast: [nothing] }", "/routes/fast");
    refuses(PolicyDocument.GATES, "kind: GatePolicy\ngates: []", "/gates");
    refuses(
        PolicyDocument.GATES,
        "kind: GatePolicy\ngates: [{ name: a, metric: error_rate }]",
        "/gates/0/max");
    refuses(
        PolicyDocument.GATES,
        "kind: GatePolicy\ngates: [{ name: a, metric: query, max: 1 }]",
        "/gates/0/query");
    refuses(PolicyDocument.CAPABILITIES, "kind: [unclosed", "");
  }

  @Example
  void only_known_files_make_a_version_and_not_without_capabilities() {
    assertThatThrownBy(() -> PolicyDocument.ofTexts(with("../etc/passwd", "")))
        .isInstanceOf(InvalidPolicy.class)
        .hasMessageContaining("no other file is read");
    assertThatThrownBy(() -> PolicyDocument.read(Map.of()))
        .isInstanceOf(InvalidPolicy.class)
        .hasMessageContaining("is missing");
    byte[] large = "#".repeat(PolicyDocument.FILE_BYTES_MAX + 1).getBytes(UTF_8);
    assertThatThrownBy(() -> PolicyDocument.read(Map.of(PolicyDocument.CAPABILITIES, large)))
        .hasMessageContaining("larger than");
  }

  @Example
  void the_digest_is_of_names_and_bytes_and_of_nothing_else() throws Exception {
    String quotas = "kind: QuotaPolicy\n";
    Map<String, String> files = with(PolicyDocument.QUOTAS, quotas);
    String sha256 = PolicyDocument.ofTexts(files).sha256();

    assertThat(PolicyDocument.ofTexts(new LinkedHashMap<>(files)).sha256()).isEqualTo(sha256);
    assertThat(PolicyDocument.ofTexts(with(PolicyDocument.QUOTAS, quotas + "\n")).sha256())
        .isNotEqualTo(sha256);
    assertThat(Drawn.document(CAPABILITIES).sha256()).isNotEqualTo(sha256).hasSize(64);
  }

  @Example
  void a_name_is_safe_as_a_file_name() {
    assertThat(List.of("a", "1", "v1.2_3-x", "a".repeat(64))).allMatch(PolicyDocument::isName);
    assertThat(
            List.of(
                "",
                ".",
                "..",
                "a..b",
                "../a",
                "a/b",
                "a\\b",
                "A",
                "-a",
                ".a",
                "current",
                "a b",
                "a\n",
                "é",
                "\u0430",
                "a\u0000",
                "a".repeat(65),
                "%2e%2e"))
        .noneMatch(PolicyDocument::isName);
  }

  @Property(tries = 300)
  void whatever_a_file_calls_itself_the_name_made_of_it_is_one(
      @ForAll
          @AlphaChars
          @NumericChars
          @Chars({'.', '-', '_', '/', ' ', 'é', '%'})
          @StringLength(min = 1, max = 200)
          String label)
      throws Exception {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("apiVersion", "aion.os/v1");
    values.put("kind", "CapabilityPolicy");
    values.put("version", label);
    values.put("global", Map.of());

    PolicyDocument document = Drawn.document(Map.of(PolicyDocument.CAPABILITIES, values));

    assertThat(document.suggestedName(8)).matches(PolicyDocument::isName);
    assertThat(document.suggestedName(32)).matches(PolicyDocument::isName);
  }

  @Example
  void a_difference_names_each_field_and_what_it_is_about() throws Exception {
    PolicyDocument before =
        PolicyDocument.ofTexts(
            with(
                PolicyDocument.MODELS,
                "kind: ModelPolicy\nallow_cloud: true\nroutes: { fast: [a/x, b/y] }"));
    Map<String, String> changed =
        with(
            PolicyDocument.MODELS,
            "kind: ModelPolicy\nallow_cloud: false\nroutes: { fast: [b/y, a/x] }");
    changed.put(
        PolicyDocument.CAPABILITIES,
        CAPABILITIES.replace(
            "global: { allow: [network] }",
            "global: { allow: [network], tools: { trust: { pay: high } } }"));

    List<Difference.Change> changes = Difference.between(before, PolicyDocument.ofTexts(changed));

    assertThat(changes)
        .extracting(change -> change.file() + change.pointer() + " " + change.matter().written())
        .containsExactlyInAnyOrder(
            "agent.capabilities.yaml/global/tools capabilities",
            "models.yaml/allow_cloud privacy",
            "models.yaml/routes/fast performance");
    assertThat(Difference.between(before, before)).isEmpty();
  }

  @Example
  void what_is_composed_is_as_fast_as_one_and_lets_through_what_the_other_lets_through()
      throws Exception {
    PolicyDocument kept =
        PolicyDocument.ofTexts(
            with(
                PolicyDocument.MODELS,
                "kind: ModelPolicy\nallow_cloud: false\nroutes: { fast: [a/x, b/y], best: [a/x] }"));
    Map<String, String> fast =
        with(
            PolicyDocument.MODELS,
            "kind: ModelPolicy\nallow_cloud: true\nroutes: { fast: [b/y, a/x], best: [c/z] }");
    fast.put(
        PolicyDocument.SCHEDULER, "apiVersion: aion.os/v1\nkind: SchedulerPolicy\nslice_ms: 77\n");

    PolicyDocument both = Composed.of(kept, PolicyDocument.ofTexts(fast));

    assertThat(both.scheduling().sliceMillis()).isEqualTo(77);
    assertThat(both.models("acme").routes())
        .containsEntry("fast", List.of("b/y", "a/x"))
        .containsEntry("best", List.of("a/x"));
    assertThat(both.models("acme").allowCloud()).isFalse();
    assertThat(both.files().get(PolicyDocument.CAPABILITIES))
        .isEqualTo(kept.files().get(PolicyDocument.CAPABILITIES));
  }
}
