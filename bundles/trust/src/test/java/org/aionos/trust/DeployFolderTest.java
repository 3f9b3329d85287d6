package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Example;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolInstaller.Plan;
import org.jspecify.annotations.Nullable;

/** What becomes of jars and signatures that come and go, in whatever order. */
final class DeployFolderTest {

  private static final ToolJar HELLO = Jars.tool("hello", "1.0.0");

  private final Path folder;
  private final ToolStore store;
  private final List<String> told = new ArrayList<>();
  private @Nullable Problem refusal;
  private DeployFolder deploy;

  DeployFolderTest() throws IOException {
    folder = Files.createTempDirectory("deploy");
    store = new ToolStore(Files.createTempDirectory("store"));
    deploy = open();
  }

  private DeployFolder open() throws IOException {
    return new DeployFolder(
        folder,
        1 << 20,
        store,
        new DeployFolder.Intake() {
          @Override
          public Plan install(byte[] jar, byte @Nullable [] signature, String file) {
            String with = signature == null ? "nothing" : new String(signature, UTF_8);
            told.add("install " + file + " with " + with);
            if (refusal != null) {
              throw new Refused(refusal);
            }
            return new Plan("hello", "1.0.0", HELLO.digest(), true, null, List.of(), List.of());
          }

          @Override
          public void remove(String file) {
            told.add("remove " + file);
          }

          @Override
          public void refused(String file, Problem why) {
            told.add("refused " + file + ": " + why.message());
          }
        });
  }

  private void drop(String file, byte[] bytes) throws IOException {
    Files.write(folder.resolve(file), bytes);
    deploy.changed(folder.resolve(file));
  }

  private static Problem untrusted(String why) {
    return Problem.of(Code.TOOL_NOT_TRUSTED, why);
  }

  @Example
  void a_jar_is_taken_with_the_signature_beside_it_a_bundle_before_a_bare_one() throws Exception {
    drop("a.jar.sig", "bare".getBytes(UTF_8));
    drop("a.jar", HELLO.bytes());
    drop("b.jar.sig", "bare".getBytes(UTF_8));
    drop("b.jar.sigstore.json", "bundle".getBytes(UTF_8));
    drop("b.jar", HELLO.bytes());
    drop("readme.txt", new byte[1]);

    assertThat(told).containsExactly("install a.jar with bare", "install b.jar with bundle");
  }

  @Example
  void a_jar_that_trust_refused_is_looked_at_again_when_its_signature_comes() throws Exception {
    refusal = untrusted("unsigned");
    drop("a.jar", HELLO.bytes());
    refusal = null;
    drop("a.jar.sigstore.json", "bundle".getBytes(UTF_8));

    assertThat(told)
        .containsExactly(
            "install a.jar with nothing", "refused a.jar: unsigned", "install a.jar with bundle");
  }

  @Example
  void a_signed_tool_is_left_alone_when_its_signature_is_touched() throws Exception {
    drop("a.jar.sigstore.json", "bundle".getBytes(UTF_8));
    drop("a.jar", HELLO.bytes());
    store.put(HELLO, new byte[1], entry("a.jar", "acme"));
    told.clear();

    drop("a.jar.sigstore.json", "other".getBytes(UTF_8));

    assertThat(told).isEmpty();
  }

  private static ToolStore.Entry entry(String file, String vendor) {
    return new ToolStore.Entry(
        "1.0.0",
        HELLO.digest(),
        file,
        new org.aionos.kernel.ToolInstaller.Signer(vendor, "key"),
        Instant.EPOCH);
  }

  @Example
  void a_refusal_is_told_once_and_again_when_its_reason_changes() throws Exception {
    refusal = untrusted("unknown key");
    drop("a.jar", HELLO.bytes());
    deploy.retry();
    refusal = untrusted("out of prefix");
    deploy.retry();
    deploy.retry();

    assertThat(told.stream().filter(line -> line.startsWith("refused")))
        .containsExactly("refused a.jar: unknown key", "refused a.jar: out of prefix");
    told.clear();
    deploy.changed(folder.resolve("a.jar"));
    assertThat(told).contains("refused a.jar: out of prefix");
  }

  @Example
  void what_is_no_tool_jar_does_not_wait_for_trust() throws Exception {
    refusal = Problem.of(Code.INVALID_FIELD, "no jar");
    drop("a.jar", HELLO.bytes());
    told.clear();

    deploy.retry();

    assertThat(told).isEmpty();
  }

  @Example
  void what_was_taken_out_waits_and_what_goes_does_not() throws Exception {
    drop("a.jar", HELLO.bytes());
    deploy.await("a.jar", "revoked");
    told.clear();
    deploy.retry();
    assertThat(told).containsExactly("install a.jar with nothing");
    deploy.await("a.jar", "revoked");
    Files.delete(folder.resolve("a.jar"));
    told.clear();

    deploy.changed(folder.resolve("a.jar"));
    deploy.retry();

    assertThat(told).containsExactly("remove a.jar");
  }

  @Example
  void after_a_restart_a_jar_is_not_taken_twice_unless_it_changed_or_was_taken_out()
      throws Exception {
    drop("a.jar", HELLO.bytes());
    drop("b.jar", HELLO.bytes());
    drop("c.jar", HELLO.bytes());
    deploy.await("c.jar", "revoked");
    Files.write(folder.resolve("b.jar"), Jars.tool("hello", "1.0.1").bytes());
    told.clear();

    deploy = open();
    for (String file : List.of("a.jar", "b.jar", "c.jar")) {
      deploy.changed(folder.resolve(file));
    }

    assertThat(told).containsExactly("install b.jar with nothing", "install c.jar with nothing");
  }

  @Example
  void files_that_are_too_large_are_refused_unread() throws Exception {
    drop("a.jar", new byte[(1 << 20) + 1]);
    drop("b.jar.sig", new byte[Sealed.BYTES_MAX + 1]);
    drop("b.jar", HELLO.bytes());

    assertThat(told).hasSize(2).allMatch(line -> line.contains("has more than"));
  }
}
