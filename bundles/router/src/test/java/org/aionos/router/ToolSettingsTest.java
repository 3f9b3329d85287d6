package org.aionos.router;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ToolSettingsTest {

  private static final String HEAD = "apiVersion: aion.os/v1\nkind: ToolSettings\n";
  private static final String GOOD =
      HEAD + "tools:\n  web_search: { endpoint: \"https://searx.example\", timeout_ms: 900 }\n";

  @TempDir private Path folder;
  private ToolSettings settings;

  @BeforeEach
  void open() {
    settings = new ToolSettings(folder, new FakeKernel());
  }

  @AfterEach
  void close() {
    settings.close();
  }

  private void write(String yaml) throws IOException {
    Files.writeString(folder.resolve(ToolSettings.FILE_NAME), yaml);
    settings.reload();
  }

  @Test
  void a_tool_gets_what_is_set_for_it_and_nothing_else() throws IOException {
    settings.reload();
    assertThat(settings.of("web_search")).isEmpty();

    write(GOOD);

    assertThat(settings.of("web_search"))
        .isEqualTo(Map.of("endpoint", "https://searx.example", "timeout_ms", 900));
    assertThat(settings.of("echo")).isEmpty();
  }

  @Test
  void a_file_that_is_no_good_changes_nothing() throws IOException {
    write(GOOD);

    for (String bad :
        List.of(
            "",
            "tools: {}",
            HEAD.replace("ToolSettings", "EgressPolicy"),
            HEAD + "tool: {}",
            HEAD + "tools: { web_search: 7 }",
            HEAD + "tools: { \"Web Search\": {} }",
            HEAD + "tools: { a: {}, a: {} }",
            HEAD + "tools: { web_search: { x: \"" + "y".repeat(70_000) + "\" } }")) {
      write(bad);
      assertThat(settings.of("web_search")).as(bad).containsEntry("timeout_ms", 900);
    }
  }

  @Test
  void without_the_file_nothing_is_set() throws IOException {
    write(GOOD);

    Files.delete(folder.resolve(ToolSettings.FILE_NAME));
    settings.reload();

    assertThat(settings.of("web_search")).isEmpty();
  }
}
