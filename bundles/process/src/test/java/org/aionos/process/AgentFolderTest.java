package org.aionos.process;

import static org.aionos.process.Tables.AGENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Refused;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class AgentFolderTest {

  @TempDir private Path root;
  private final FakeJournal journal = new FakeJournal();
  private String refused;

  private final ManifestTrust trust =
      new ManifestTrust() {
        @Override
        public void check(byte[] manifest, byte[] signature) {
          if (refused != null && signature == null) {
            throw new Refused(Code.TOOL_NOT_TRUSTED, refused);
          }
        }

        @Override
        public void verify(byte[] manifest, byte[] signature) {
          check(manifest, signature);
        }
      };
  private StoredProcessTable table;
  private Path folder;
  private Path file;

  @BeforeEach
  void open() {
    folder = root.resolve("agents");
    file = folder.resolve("tenantA").resolve("researcher-1.yml");
    table = Tables.open(root.resolve("state"), journal, new FakeClock());
  }

  @AfterEach
  void close() {
    table.close();
  }

  @Test
  void what_stands_there_is_registered_at_the_start() throws IOException {
    write(file, "1.0.0", "network");

    new AgentFolder(folder, table, trust, journal);

    AgentProcess row = table.find(AGENT).orElseThrow();
    assertThat(row.name()).isEqualTo("researcher");
    assertThat(row.version()).isEqualTo("1.0.0");
    assertThat(row.declared().capabilities()).containsOnly("network");
    assertThat(journal.last().facts()).containsEntry("by", "config");
  }

  @Test
  void a_second_start_changes_nothing() throws IOException {
    write(file, "1.0.0", "network");
    new AgentFolder(folder, table, trust, journal);

    new AgentFolder(folder, table, trust, journal);

    assertThat(journal.kinds()).containsExactly("agent.registered");
  }

  @Test
  void what_trust_refuses_is_not_registered_until_its_signature_comes() throws IOException {
    refused = "unsigned";
    write(file, "1.0.0", "network");
    AgentFolder watch = new AgentFolder(folder, table, trust, journal);
    assertThat(table.find(AGENT)).isEmpty();
    assertThat(journal.last().kind()).isEqualTo("agent.refused");
    assertThat(journal.last().facts()).containsEntry("why", "unsigned");

    Files.writeString(file.resolveSibling("researcher-1.yml.sigstore.json"), "{}");
    watch.look();
    watch.look();

    assertThat(table.find(AGENT)).isPresent();
  }

  @Test
  void a_new_file_counts_once_it_has_kept_still() throws IOException {
    AgentFolder watch = new AgentFolder(folder, table, trust, journal);
    write(file, "1.0.0", "network");

    watch.look();
    assertThat(table.list(null)).isEmpty();
    watch.look();
    watch.look();

    assertThat(table.list(null)).hasSize(1);
    assertThat(journal.kinds()).containsExactly("agent.registered");
  }

  @Test
  void a_changed_file_may_widen_and_a_removed_one_changes_nothing() throws IOException {
    write(file, "1.0.0", "network");
    AgentFolder watch = new AgentFolder(folder, table, trust, journal);

    write(file, "1.0.0-longer", "subprocess");
    watch.look();
    watch.look();
    Files.delete(file);
    watch.look();
    watch.look();

    AgentProcess row = table.find(AGENT).orElseThrow();
    assertThat(row.declared().capabilities()).containsOnly("subprocess");
    assertThat(row.pending()).isNull();
    assertThat(journal.kinds()).containsExactly("agent.registered", "agent.changed");
  }

  @Test
  void an_invalid_file_is_refused_once_and_changes_nothing() throws IOException {
    write(file, "1.0.0", "network");
    AgentFolder watch = new AgentFolder(folder, table, trust, journal);

    write(file, "1.0.0", "Not-A-Capability");
    watch.look();
    watch.look();
    watch.look();

    assertThat(journal.kinds()).containsExactly("agent.registered", "agent.refused");
    assertThat(journal.last().tenant()).isEqualTo("tenantA");
    assertThat(journal.last().facts().get("file")).hasToString("tenantA/researcher-1.yml");
    assertThat(journal.last().facts().get("why").toString())
        .startsWith("/spec/capabilities/Not-A-Capability");
    assertThat(table.find(AGENT).orElseThrow().revision()).isEqualTo(1);
  }

  @Test
  void names_that_are_none_are_refused() throws IOException {
    write(folder.resolve("tenantA").resolve("no name.yml"), "1.0.0", "network");
    write(folder.resolve("no tenant").resolve("a.yml"), "1.0.0", "network");

    new AgentFolder(folder, table, trust, journal);

    assertThat(journal.kinds()).containsExactly("agent.refused", "agent.refused");
    assertThat(table.list(null)).isEmpty();
  }

  @Test
  void other_and_hidden_files_are_passed_over() throws IOException {
    write(folder.resolve("tenantA").resolve("README.md"), "1.0.0", "network");
    write(folder.resolve("tenantA").resolve(".hidden.yml"), "1.0.0", "network");
    write(folder.resolve(".git").resolve("a.yml"), "1.0.0", "network");
    write(folder.resolve("top.yml"), "1.0.0", "network");

    new AgentFolder(folder, table, trust, journal);

    assertThat(journal.events).isEmpty();
  }

  @Test
  void what_could_not_be_put_on_record_is_tried_again() throws IOException {
    write(file, "1.0.0", "network");
    journal.broken = true;
    AgentFolder watch = new AgentFolder(folder, table, trust, journal);
    assertThat(table.list(null)).isEmpty();

    journal.broken = false;
    watch.look();

    assertThat(table.list(null)).hasSize(1);
  }

  private static void write(Path file, String version, String capability) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(
        file,
        """
        apiVersion: aion.os/v1
        kind: Agent
        metadata: { name: researcher, version: "%s" }
        spec: { capabilities: { %s: true } }
        """
            .formatted(version, capability));
  }
}
