package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ModelSettingsTest {

  private static ModelSettings read(String yaml, Map<String, String> environment)
      throws InvalidDocument {
    return ModelSettings.read(yaml.getBytes(StandardCharsets.UTF_8), environment);
  }

  private static ModelSettings read(String yaml) throws InvalidDocument {
    return read(yaml, Map.of());
  }

  @Test
  void ollama_is_a_provider_by_its_address_alone() throws Exception {
    ModelSettings settings = read("{}", Map.of("OLLAMA_URL", "http://gpu:11434/"));

    ModelSettings.Provider ollama = settings.providers().get("ollama");
    assertThat(ollama.url()).hasToString("http://gpu:11434/v1");
    assertThat(ollama.local()).isTrue();
    assertThat(ollama.continuation()).isEqualTo(ModelSettings.Continuation.ASSISTANT);
    ModelSettings.Model model = settings.model("ollama/qwen3:0.6b").orElseThrow();
    assertThat(model.routes().get(0).price().of(1_000_000, 1_000_000)).isZero();
    assertThat(settings.model("qwen3:0.6b")).isEmpty();
  }

  @Test
  void the_environment_decides_where_ollama_is_and_the_file_what_else_it_is() throws Exception {
    ModelSettings settings =
        read(
            "providers: { ollama: { url: 'http://old', local: false, concurrency_max: 3 } }",
            Map.of("OLLAMA_URL", "http://new/v1"));

    ModelSettings.Provider ollama = settings.providers().get("ollama");
    assertThat(ollama.url()).hasToString("http://new/v1");
    assertThat(ollama.local()).isFalse();
    assertThat(ollama.concurrencyMax()).isEqualTo(3);
  }

  @Test
  void a_price_is_that_of_the_route_else_of_the_provider() throws Exception {
    ModelSettings settings =
        read(
            """
            providers: { a: { url: "http://a", usd_per_million_tokens_in: 0.15, any_model: true } }
            models: { m: { routes: [ a/x, { route: a/y, usd_per_million_tokens_out: 2 } ] } }
            """);

    ModelSettings.Model model = settings.models().get("m");
    assertThat(model.routes().get(0).price().of(1_000, 1_000)).isEqualByComparingTo("0.00015");
    assertThat(model.routes().get(1).price().of(1_000, 1_000)).isEqualByComparingTo("0.002");
    assertThat(settings.model("a/z").orElseThrow().routes().get(0).price().in())
        .isEqualByComparingTo(new BigDecimal("0.15"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{kind: SchedulerConfig} | /kind",
        "{provider: {}} | /provider",
        "{providers: {a: {}}} | /providers/a/url",
        "{providers: {a: {url: 'ftp://x'}}} | /providers/a/url",
        "{providers: {a: {url: 'http://user:pass@x'}}} | /providers/a/url",
        "{providers: {a: {url: 'http://x?key=1'}}} | /providers/a/url",
        "{providers: {a: {url: 'http://x y'}}} | /providers/a/url",
        "{providers: {'a/b': {url: 'http://x'}}} | /providers",
        "{providers: {a: {url: 'http://x', key: sk-1}}} | /providers/a/key",
        "{providers: {a: {url: 'http://x', key_variable: NOT_THERE}}} | /providers/a/key_variable",
        "{providers: {a: {url: 'http://x', key_file: /not/there}}} | /providers/a/key_file",
        "{providers: {a: {url: 'http://x', key_variable: K, key_file: k}}} | /providers/a/key_file",
        "{providers: {a: {url: 'http://x', key_variable: TWO}}} | /providers/a/key_variable",
        "{providers: {a: {url: 'http://x', ca_file: /not/there}}} | /providers/a/ca_file",
        "{providers: {a: {url: 'http://x', continue: often}}} | /providers/a/continue",
        "{providers: {a: {url: 'http://x', concurrency_max: 0}}} | /providers/a/concurrency_max",
        "{providers: {a: {url: 'http://x', usd_per_million_tokens_in: -1}}} | /providers/a/usd_per_million_tokens_in",
        "{models: {m: {routes: []}}} | /models/m/routes",
        "{models: {m: {routes: [b/x]}}} | /models/m/routes/0/route",
        "{models: {m: {}}} | /models/m/routes",
        "{default: m} | /default",
        "{retry: {attempts_max: 0}} | /retry/attempts_max",
        "{circuit: {failure_percent: 0}} | /circuit/failure_percent",
        "{limits: {streams: 7}} | /limits/streams"
      })
  void what_is_wrong_is_named(String yaml, String pointer) {
    assertThatThrownBy(() -> read(yaml, Map.of("K", "sk-1", "TWO", "sk-1 sk-2")))
        .isInstanceOfSatisfying(
            InvalidDocument.class,
            invalid -> {
              assertThat(invalid.pointer()).isEqualTo(pointer);
              assertThat(invalid.describe()).doesNotContain("sk-1 ", "pass@");
            });
  }

  @Test
  void a_key_comes_from_a_variable_or_a_file(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("key"), "sk-file\n");

    ModelSettings settings =
        read(
            "providers: { a: { url: 'http://a', key_variable: K }, b: { url: 'http://b', key_file: '"
                + file
                + "' } }",
            Map.of("K", "sk-variable"));

    assertThat(settings.providers().get("a").key()).isEqualTo("sk-variable");
    assertThat(settings.providers().get("b").key()).isEqualTo("sk-file");
    assertThat(settings.toString()).doesNotContain("sk-");
  }

  @Test
  void the_file_that_comes_along_is_valid_as_it_is_and_with_its_examples_in_force(
      @TempDir Path folder) throws Exception {
    String shipped = Files.readString(Path.of("../../config/models.yaml"));
    Files.writeString(folder.resolve("models.yaml"), shipped);
    ModelsFile file = new ModelsFile(folder, Map.of());
    assertThat(file.rejected()).isEmpty();
    assertThat(file.now().providers()).isEmpty();
    file.close();

    String examples = shipped.substring(shipped.indexOf("# apiVersion")).replaceAll("(?m)^# ?", "");
    ModelSettings settings = read(examples, Map.of("EXAMPLE_API_KEY", "sk-1"));
    assertThat(settings.models()).containsKeys("chat", "vectors");
    assertThat(settings.limits()).isEqualTo(read("{}").limits());
    assertThat(settings.retries()).isEqualTo(read("{}").retries());
    assertThat(settings.breaking()).isEqualTo(read("{}").breaking());
  }
}
