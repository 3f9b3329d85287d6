package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where tasks are kept, by the environment and the file. */
final class StoreSettingsTest {

  @TempDir Path folder;

  private static StoreSettings read(String yaml, Map<String, String> environment)
      throws InvalidDocument, IOException {
    return StoreSettings.read(yaml.getBytes(UTF_8), environment);
  }

  @Test
  void tasks_are_kept_here_if_nothing_is_said() throws Exception {
    assertThat(read("{}", Map.of()).isEmbedded()).isTrue();
    assertThat(read("{}", Map.of("REDIS_URL", "")).isEmbedded()).isTrue();
  }

  @Test
  void the_environment_decides_over_the_file_about_the_server() throws Exception {
    Map<String, String> environment =
        Map.of("REDIS_URL", "redis://a", "REDIS_USER", "ann", "REDIS_PASSWORD", "hush");

    StoreSettings read = read("store: { url: 'redis://b', user: bob }", environment);

    assertThat(read.driver()).isEqualTo("redis");
    assertThat(read.url()).isEqualTo("redis://a");
    assertThat(read.user()).isEqualTo("ann");
    assertThat(read.secret()).isEqualTo("hush");
    assertThat(read.toString()).doesNotContain("hush");
    assertThat(read("store: { driver: embedded }", environment).isEmbedded()).isTrue();
  }

  @Test
  void a_driver_needs_a_server_and_a_secret_that_is_named_must_be_there() {
    assertThat(pointer("store: { driver: redis }")).isEqualTo("/store/url");
    assertThat(pointer("store: { url: 'redis://a', secret_env: NONE }"))
        .isEqualTo("/store/secret_env");
    assertThat(pointer("store: { url: 'redis://a', passwort: x }")).isEqualTo("/store/passwort");
  }

  private static String pointer(String yaml) {
    return catchThrowableOfType(InvalidDocument.class, () -> read(yaml, Map.of())).pointer();
  }

  @Test
  void another_store_is_not_taken_before_a_restart_and_that_is_said() throws Exception {
    Path file = folder.resolve("scheduler.yaml");
    Files.writeString(file, "slots: 3\n");
    SettingsFile settings = new SettingsFile(folder);
    Files.writeString(file, "slots: 4\nstore: { url: 'redis://a' }\n");

    settings.reload();

    assertThat(settings.rejected()).startsWith("/store was changed");
    assertThat(settings.now().slots()).isEqualTo(3);
    Files.writeString(file, "slots: 5\n");
    settings.reload();
    assertThat(settings.rejected()).isEmpty();
    assertThat(settings.now().slots()).isEqualTo(5);
  }

  @Test
  void no_store_is_chosen_while_no_file_could_be_read() throws Exception {
    Path file = folder.resolve("scheduler.yaml");
    Files.writeString(file, "slots: many\nstore: { url: 'redis://a' }\n");
    SettingsFile settings = new SettingsFile(folder);
    assertThat(settings.store()).isNull();

    Files.writeString(file, "store: { url: 'redis://a' }\n");
    settings.reload();

    assertThat(settings.store()).isNotNull().extracting(StoreSettings::driver).isEqualTo("redis");
  }
}
