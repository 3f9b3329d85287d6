package org.aionos.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderPagesTest {

  @TempDir private Path temp;

  @Test
  void reads_markdown_text_and_html_in_folders_and_nothing_else() throws IOException {
    write("docs/a.md", "# First **title**\n\nSee [the guide](https://x.example/) and `code`.\n");
    write("docs/deep/b.TXT", "Second title\nplain *text*");
    write(
        "docs/c.html",
        "<html><head><TITLE>Third &amp; last</TITLE><style>p{}</style><script>evil()</script></head>"
            + "<body><p>Caf&eacute; text</p><!-- hidden --></body></html>");
    write("docs/d.pdf", "no");
    write("docs/empty.md", "");

    assertThat(FolderPages.read(temp.resolve("docs")))
        .contains(
            new Page("a.md", "a.md", "First title", "See the guide and code."),
            new Page("deep/b.TXT", "deep/b.TXT", "Second title", "plain *text*"),
            new Page("empty.md", "empty.md", "empty.md", ""))
        .hasSize(4)
        .filteredOn(page -> page.file().equals("c.html"))
        .singleElement()
        .satisfies(
            page -> {
              assertThat(page.title()).isEqualTo("Third & last");
              assertThat(page.body())
                  .contains("Café text")
                  .doesNotContain("evil", "hidden", "p{}", "<");
            });
  }

  @Test
  void does_not_follow_links_out_of_the_folder() throws IOException {
    write("outside/secret.md", "Secret");
    write("docs/a.md", "A");
    Files.createSymbolicLink(temp.resolve("docs/file.md"), temp.resolve("outside/secret.md"));
    Files.createSymbolicLink(temp.resolve("docs/folder"), temp.resolve("outside"));

    assertThat(FolderPages.read(temp.resolve("docs"))).extracting(Page::file).containsOnly("a.md");
  }

  @Test
  void leaves_out_a_file_that_is_too_large() throws IOException {
    write("docs/large.txt", "x".repeat((1 << 20) + 1));
    write("docs/small.txt", "x");

    assertThat(FolderPages.read(temp.resolve("docs")))
        .extracting(Page::file)
        .containsOnly("small.txt");
  }

  @Test
  void fails_when_there_is_no_such_folder() {
    assertThatThrownBy(() -> FolderPages.read(temp.resolve("absent")))
        .isInstanceOf(NoSuchFileException.class);
  }

  private void write(String file, String text) throws IOException {
    Path path = temp.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
