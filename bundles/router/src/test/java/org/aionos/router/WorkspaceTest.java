package org.aionos.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.aionos.tool.ToolFailure;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class WorkspaceTest {

  @TempDir Path folder;
  private Path root;
  private Workspace workspace;

  @BeforeEach
  void open() throws Exception {
    root = folder.resolve("acme/worker-1");
    workspace = new Workspace(root, new Workspace.Limits(1_000, 5, 400));
    Files.writeString(folder.resolve("secret.txt"), "not yours");
  }

  @Test
  void reads_what_was_written_in_any_script() throws Exception {
    workspace.writeText("notes/یادداشت.txt", "سلام دنیا");

    assertThat(workspace.readText("notes/یادداشت.txt")).isEqualTo("سلام دنیا");
    assertThat(workspace.list("")).containsExactly("notes/");
    assertThat(workspace.list("notes")).containsExactly("یادداشت.txt");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../../secret.txt",
        "a/../../../secret.txt",
        "/etc/passwd",
        "..",
        "",
        ".",
        "a/./b",
        "a\0b"
      })
  void no_path_leaves_the_workspace(String path) {
    assertThatThrownBy(() -> workspace.readText(path)).isInstanceOf(ToolFailure.class);
    assertThatThrownBy(() -> workspace.writeText(path, "x")).isInstanceOf(ToolFailure.class);
    assertThat(folder.resolve("secret.txt")).hasContent("not yours");
  }

  @Test
  void no_link_is_followed() throws Exception {
    Files.createDirectories(root);
    Files.createSymbolicLink(root.resolve("out"), folder);
    Files.createSymbolicLink(root.resolve("file"), folder.resolve("secret.txt"));

    for (String path : new String[] {"out/secret.txt", "file"}) {
      assertThatThrownBy(() -> workspace.readText(path)).hasMessageContaining("link");
      assertThatThrownBy(() -> workspace.writeText(path, "x")).hasMessageContaining("link");
    }
    assertThatThrownBy(() -> workspace.list("out")).hasMessageContaining("link");
    assertThat(folder.resolve("secret.txt")).hasContent("not yours");
  }

  @Test
  void its_size_is_bounded_by_file_by_sum_and_by_number() throws Exception {
    assertThatThrownBy(() -> workspace.writeText("big", "x".repeat(401)))
        .hasMessageContaining("400");
    workspace.writeText("a", "x".repeat(400));
    workspace.writeText("b", "x".repeat(400));
    assertThatThrownBy(() -> workspace.writeText("c", "x".repeat(400)))
        .hasMessageContaining("1000");
    workspace.writeText("a", "y".repeat(400));
    for (String small : new String[] {"c", "d", "e"}) {
      workspace.writeText(small, "x");
    }
    assertThatThrownBy(() -> workspace.writeText("f", "x")).hasMessageContaining("5 files");
  }

  @Test
  void what_is_not_text_is_refused() throws Exception {
    Files.createDirectories(root);
    Files.write(root.resolve("binary"), new byte[] {(byte) 0xC3, 0x28});

    assertThatThrownBy(() -> workspace.readText("binary")).hasMessageContaining("UTF-8");
    assertThatThrownBy(() -> workspace.readText("absent")).hasMessageContaining("no 'absent'");
    assertThatThrownBy(() -> workspace.list("binary")).hasMessageContaining("not a folder");
  }
}
