package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MemorySettingsTest {

  private static final String AS_ASKED_FOR =
      """
      backends:
        short:    { driver: redis,  ttl_s: 3600 }
        long:     { driver: qdrant, ttl_s: 1209600, collection: "aion_long_memory" }
        episodic: { driver: minio,  ttl_s: 259200, bucket: "aion-episodic" }
      gc: { strategy: "adaptive", watermarks: { high: 0.85, low: 0.60 } }
      """;

  private static MemorySettings read(String yaml, Map<String, String> environment)
      throws Exception {
    return MemorySettings.read(yaml.getBytes(UTF_8), environment);
  }

  @Test
  void reads_the_form_of_the_contract_with_servers_from_the_environment() throws Exception {
    MemorySettings settings =
        read(
            AS_ASKED_FOR,
            Map.of(
                "REDIS_URL", "redis://cache:6379",
                "REDIS_PASSWORD", "pw",
                "QDRANT_URL", "http://qdrant:6334",
                "MINIO_URL", "http://minio:9000",
                "MINIO_ACCESS_KEY", "user",
                "MINIO_SECRET_KEY", "secret"));

    assertThat(settings.backend("short").url()).isEqualTo("redis://cache:6379");
    assertThat(settings.backend("short").secret()).isEqualTo("pw");
    assertThat(settings.backend("long").name()).isEqualTo("aion_long_memory");
    assertThat(settings.backend("episodic").user()).isEqualTo("user");
    assertThat(settings.ttl("episodic", "any")).isEqualTo(Duration.ofDays(3));
    assertThat(settings.collecting()).isEqualTo(new MemorySettings.Collecting(true, 0.85, 0.60));
    assertThat(settings.toString()).doesNotContain("pw", "secret");
  }

  @Test
  void says_nothing_and_all_is_embedded_with_the_defaults() throws Exception {
    MemorySettings settings = read("{}", Map.of());

    for (String type : new String[] {"short", "long", "episodic"}) {
      assertThat(settings.backend(type).isEmbedded()).isTrue();
    }
    assertThat(settings.bytesMax("any")).isEqualTo(268_435_456);
    assertThat(settings.ttl("long", "any")).isEqualTo(Duration.ofDays(14));
    assertThat(settings.undoFor()).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void an_address_decides_the_driver_and_a_named_driver_decides_over_it() throws Exception {
    Map<String, String> environment = Map.of("REDIS_URL", "redis://cache");

    assertThat(read("{}", environment).backend("short").driver()).isEqualTo("redis");
    MemorySettings.Backend embedded =
        read("backends: { short: { driver: embedded } }", environment).backend("short");
    assertThat(embedded.isEmbedded()).isTrue();
    assertThat(embedded.keptBy("redis").url()).isEqualTo("redis://cache");
    assertThatThrownBy(() -> read("{}", Map.of()).backend("long").keptBy("qdrant"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_tenant_may_differ() throws Exception {
    MemorySettings settings =
        read("tenants: { acme: { tenant_bytes_max: 70000, short_ttl_s: 5 } }", Map.of());

    assertThat(settings.bytesMax("acme")).isEqualTo(70_000);
    assertThat(settings.ttl("short", "acme")).isEqualTo(Duration.ofSeconds(5));
    assertThat(settings.ttl("long", "acme")).isEqualTo(settings.ttl("long", "other"));
  }

  @Test
  void a_secret_comes_from_a_file_or_a_variable(@TempDir Path folder) throws Exception {
    Path file = Files.writeString(folder.resolve("pw"), "of-file\n");

    assertThat(
            read("backends: { short: { url: 'redis://r', secret_file: '" + file + "' } }", Map.of())
                .backend("short")
                .secret())
        .isEqualTo("of-file");
    assertThat(
            read(
                    "backends: { short: { url: 'redis://r', secret_env: MINE } }",
                    Map.of("MINE", "of-env"))
                .backend("short")
                .secret())
        .isEqualTo("of-env");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "backends: { broad: {} } | /backends/broad",
        "backends: { short: { driver: redis } } | /backends/short/url",
        "backends: { short: { ttl_s: 0 } } | /backends/short/ttl_s",
        "backends: { short: { secret_env: NONE } } | /backends/short/secret_env",
        "gc: { strategy: eager } | /gc/strategy",
        "gc: { watermarks: { high: 1.5 } } | /gc/watermarks/high",
        "gc: { watermarks: { high: 0.5, low: 0.6 } } | /gc/watermarks/low",
        "limits: { tenant_bytes_max: 1 } | /limits/tenant_bytes_max",
        "tenants: { acme: { colour: red } } | /tenants/acme/colour",
        "undo_s: -1 | /undo_s",
        "kind: Other | /kind",
      })
  void mistakes_have_their_pointer(String yaml, String pointer) {
    assertThatThrownBy(() -> read(yaml, Map.of()))
        .isInstanceOfSatisfying(
            InvalidDocument.class, invalid -> assertThat(invalid.pointer()).isEqualTo(pointer));
  }
}
