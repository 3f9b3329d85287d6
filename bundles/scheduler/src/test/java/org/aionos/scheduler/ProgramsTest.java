package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProgramsTest {

  private static final AgentId AGENT = new AgentId("acme", "worker");

  @TempDir Path folder;
  private Path code;
  private final World.FakeProcesses processes = new World.FakeProcesses();

  /** The signature is the manifest backwards. */
  private final ManifestTrust trust =
      new ManifestTrust() {
        @Override
        public void check(byte[] manifest, byte @Nullable [] signature) {
          throw new UnsupportedOperationException();
        }

        @Override
        public void verify(byte[] manifest, byte @Nullable [] signature) {
          if (!Arrays.equals(backwards(manifest), signature)) {
            throw new Refused(Code.TOOL_NOT_TRUSTED, "no");
          }
        }
      };

  private static byte[] backwards(byte[] bytes) {
    return new StringBuilder(new String(bytes, UTF_8)).reverse().toString().getBytes(UTF_8);
  }

  @BeforeEach
  void begin() throws IOException {
    code = Files.createDirectories(folder.resolve("agents/acme/worker"));
    Files.writeString(code.resolve("main.py"), "print(1)");
    Files.createDirectories(code.resolve("pkg"));
    Files.writeString(code.resolve("pkg/a.py"), "x = 1");
  }

  private Programs programs() {
    return new Programs(folder.resolve("agents"), folder.resolve("state"), trust);
  }

  private AgentProcess row(Map<String, @Nullable Object> spec) {
    return processes.put(AGENT, AgentProcess.State.ALIVE, spec);
  }

  private AgentProcess row() {
    return row(Map.of("entry", "python -m main"));
  }

  private String digest(AgentProcess row) {
    Refused refused = catchThrowableOfType(Refused.class, () -> programs().of(row));
    assertThat(refused.problem().code()).isEqualTo(Code.APPROVAL_REQUIRED);
    return String.valueOf(refused.problem().rule()).substring("entry:".length());
  }

  @Test
  void what_nobody_has_vouched_for_does_not_run_and_the_refusal_says_what_would_help() {
    Refused refused = catchThrowableOfType(Refused.class, () -> programs().of(row()));

    assertThat(refused.problem().code()).isEqualTo(Code.APPROVAL_REQUIRED);
    assertThat(refused.problem().admit())
        .contains("aion:agent-approve-entry agent://acme/worker " + digest(row()), "sha256:");
  }

  @Test
  void an_approved_program_runs_also_after_a_restart_until_code_or_manifest_change()
      throws IOException {
    String digest = digest(row());
    Programs programs = programs();
    programs.requireDigest(row(), digest);
    programs.approve(row(), digest);

    assertThat(programs.of(row()).command()).containsExactly("/usr/bin/python3", "-m", "main");
    assertThat(programs().of(row()).digest()).isEqualTo(digest);
    assertThat(digest(row(Map.of("entry", "python -m other")))).isNotEqualTo(digest);
    Files.writeString(code.resolve("pkg/a.py"), "x = 2");
    assertThat(digest(row())).isNotEqualTo(digest);
  }

  @Test
  void an_approval_of_what_is_there_no_more_is_a_conflict() throws IOException {
    String seen = digest(row());
    Files.writeString(code.resolve("main.py"), "evil()");

    assertThatThrownBy(() -> programs().requireDigest(row(), seen))
        .hasMessageContaining("CONFLICT");
  }

  @Test
  void names_and_contents_of_files_count_but_not_what_is_hidden_or_compiled() throws IOException {
    String before = digest(row());
    Files.createDirectories(code.resolve("pkg/__pycache__"));
    Files.writeString(code.resolve("pkg/__pycache__/a.pyc"), "x");
    Files.writeString(code.resolve(".hidden"), "x");
    Files.createDirectories(code.resolve(".git"));
    Files.writeString(code.resolve(".git/config"), "x");
    assertThat(digest(row())).isEqualTo(before);

    Files.move(code.resolve("pkg/a.py"), code.resolve("pkg/b.py"));
    assertThat(digest(row())).isNotEqualTo(before);
    Files.move(code.resolve("pkg/b.py"), code.resolve("pkg/a.py"));
    assertThat(digest(row())).isEqualTo(before);
    Files.writeString(code.resolve("empty.py"), "");
    assertThat(digest(row())).isNotEqualTo(before);
  }

  @Test
  void a_link_is_refused_wherever_it_leads() throws IOException {
    Files.createSymbolicLink(code.resolve("link.py"), Path.of("/etc/passwd"));

    assertThatThrownBy(() -> programs().of(row())).hasMessageContaining("neither a file nor");
  }

  @Test
  void a_folder_that_is_a_link_is_refused_too() throws IOException {
    Files.createSymbolicLink(code.resolve("dir"), folder);

    assertThatThrownBy(() -> programs().of(row())).hasMessageContaining("neither a file nor");
  }

  @Test
  void an_agent_without_code_or_entry_is_told_so() throws IOException {
    assertThatThrownBy(() -> programs().of(row(Map.of()))).hasMessageContaining("names no entry");
    Files.move(code, folder.resolve("away"));
    assertThatThrownBy(() -> programs().of(row())).hasMessageContaining("there is no code");
  }

  @Test
  void a_signed_manifest_vouches_for_the_code_that_it_names_and_for_no_other() throws IOException {
    Refused refused = catchThrowableOfType(Refused.class, () -> programs().of(row()));
    String admit = String.valueOf(refused.problem().admit());
    String codeDigest = admit.substring(admit.indexOf("sha256:"));
    AgentProcess signed = row(Map.of("entry", "python -m main", "code", codeDigest));
    byte[] manifest = Documents.write(signed.manifest());
    Path file = folder.resolve("agents/acme/worker.yml");
    Files.write(file, manifest);
    assertThatThrownBy(() -> programs().of(signed)).hasMessageContaining("APPROVAL_REQUIRED");
    Files.write(folder.resolve("agents/acme/worker.yml.sigstore.json"), backwards(manifest));

    assertThat(programs().of(signed).codeDigest()).isEqualTo(codeDigest);
    // Registered with something that was not signed.
    assertThatThrownBy(
            () -> programs().of(row(Map.of("entry", "python -m evil", "code", codeDigest))))
        .hasMessageContaining("APPROVAL_REQUIRED");
    Files.writeString(code.resolve("main.py"), "evil()");
    assertThatThrownBy(() -> programs().of(signed)).hasMessageContaining("APPROVAL_REQUIRED");
  }

  @Test
  void a_copy_is_what_was_vouched_for_or_none() throws IOException {
    String digest = digest(row());
    Programs programs = programs();
    programs.approve(row(), digest);
    Files.writeString(code.resolve(".hidden"), "x");
    Programs.Program program = programs.of(row());
    Path copy = Files.createDirectory(folder.resolve("copy"));
    program.code().copyTo(copy);
    assertThat(copy.resolve("pkg/a.py")).hasContent("x = 1");
    assertThat(copy.resolve(".hidden")).doesNotExist();

    Files.writeString(code.resolve("main.py"), "evil()");
    Path other = Files.createDirectory(folder.resolve("other"));

    assertThatThrownBy(() -> program.code().copyTo(other)).hasMessageContaining("was changed");
  }
}
