package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.task.AgentLauncher.Gpu;
import org.aionos.kernel.task.AgentLauncher.Resources;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestTest {

  private static Manifest manifest(Map<String, @Nullable Object> spec) {
    return Manifest.of(
        new World.FakeProcesses()
            .put(new AgentId("acme", "worker"), AgentProcess.State.ALIVE, spec));
  }

  private static Resources resources(String name, Object value) {
    return manifest(Map.of("resources", Map.of(name, value))).resources();
  }

  @Test
  void the_sample_of_the_contract_is_read() {
    Manifest manifest =
        manifest(
            Map.of(
                "entry",
                "python -m my_agent.start",
                "priority",
                5,
                "timeout_ms",
                120_000,
                "capabilities",
                Map.of("subprocess", false, "gpu", true),
                "resources",
                Map.of("cpu", "1000m", "mem", "1Gi", "gpu", "optional"),
                "policy_overrides",
                Map.of(
                    "sla", Map.of("p95_ms", 2_500),
                    "budget", Map.of("usd_max", 0.10),
                    "privacy", Map.of("allow_cloud", false))));

    assertThat(manifest.priority()).isEqualTo(5);
    assertThat(manifest.timeoutMillis()).isEqualTo(120_000);
    assertThat(manifest.slaMillis()).isEqualTo(2_500);
    assertThat(manifest.usdMax()).isEqualByComparingTo("0.1");
    assertThat(manifest.restart()).isEqualTo(Manifest.Restart.ON_FAILURE);
    assertThat(manifest.subprocesses()).isFalse();
    assertThat(manifest.resources()).isEqualTo(new Resources(100, 1L << 30, Gpu.OPTIONAL));
  }

  @Test
  void an_empty_manifest_says_nothing_and_gives_little() {
    Manifest manifest = manifest(Map.of());

    assertThat(manifest.entry()).isNull();
    assertThat(manifest.timeoutMillis()).isNull();
    assertThat(manifest.resources()).isEqualTo(new Resources(100, 512L << 20, Gpu.NONE));
  }

  @ParameterizedTest
  @CsvSource({"500m, 50", "1500m, 150", "2, 200", "0.5, 50", "0.125, 12", "0m, 1", "0, 1", "5m, 1"})
  void processors_are_written_in_thousandths_or_whole(String written, int percent) {
    assertThat(resources("cpu", written).cpuPercent()).isEqualTo(percent);
  }

  @ParameterizedTest
  @CsvSource({
    "1024, 1024",
    "1K, 1000",
    "1Ki, 1024",
    "5M, 5000000",
    "512Mi, 536870912",
    "2G, 2000000000",
    "1Gi, 1073741824"
  })
  void memory_is_written_as_kubernetes_does(String written, long bytes) {
    assertThat(resources("mem", written).memoryBytesMax()).isEqualTo(bytes);
  }

  @Test
  void numbers_may_be_numbers_and_more_memory_than_there_is_is_a_lot() {
    assertThat(resources("cpu", 2).cpuPercent()).isEqualTo(200);
    assertThat(resources("mem", 4_096).memoryBytesMax()).isEqualTo(4_096);
    assertThat(resources("mem", "999999999999Gi").memoryBytesMax()).isGreaterThan(1L << 60);
  }

  @ParameterizedTest
  @CsvSource({
    "none, NONE",
    "optional, OPTIONAL",
    "required, REQUIRED",
    "0, NONE",
    "00, NONE",
    "1, REQUIRED"
  })
  void a_gpu_is_wanted_or_not(String written, Gpu gpu) {
    assertThat(resources("gpu", written).gpu()).isEqualTo(gpu);
    assertThat(resources("gpu", 0).gpu()).isEqualTo(Gpu.NONE);
    assertThat(resources("gpu", 2).gpu()).isEqualTo(Gpu.REQUIRED);
  }

  @Test
  void an_entry_is_words_that_may_be_quoted_and_no_shell_reads_it() {
    assertThat(Manifest.words("python -m my_agent.start"))
        .containsExactly("python", "-m", "my_agent.start");
    assertThat(Manifest.words("  a\t b\n")).containsExactly("a", "b");
    assertThat(Manifest.words("run 'two words' \"it's\" '' a'b'c"))
        .isEqualTo(List.of("run", "two words", "it's", "", "abc"));
    assertThat(Manifest.words("a; rm $HOME `id` | x > y"))
        .containsExactly("a;", "rm", "$HOME", "`id`", "|", "x", ">", "y");
    assertThat(Manifest.words(" ")).isEmpty();
  }
}
