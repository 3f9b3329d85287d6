package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity.Secret;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.tasks.MapCluster;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that were given the same credentials, each with a copy of its own. */
final class ClusterTest {

  private static final AgentId AGENT = new AgentId("acme", "ann");

  /** The second that is promised, and what a busy machine may add. */
  private static final long SEEN_SECONDS_MAX = 5;

  @TempDir Path folder;
  private final FakeClock clock = new FakeClock();
  private final MapCluster cluster = new MapCluster();
  private Kernel one;
  private Kernel two;
  private Secret key;
  private String token;

  @BeforeEach
  void start() throws IOException {
    try (Kernel first = Kernel.startIn(folder.resolve("one"), false, clock)) {
      first.tenant("acme");
      key = first.identity.addKey(AGENT, null, Kernel.OPERATOR);
      token = first.bootstrapToken();
    }
    copy(folder.resolve("one"), folder.resolve("two"));
    one = join("one");
    two = join("two");
  }

  private static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  private Kernel join(String name) {
    Kernel kernel = Kernel.startIn(folder.resolve(name), false, clock);
    kernel.identity.cluster = cluster;
    return kernel;
  }

  @AfterEach
  void stop() {
    one.close();
    two.close();
  }

  private Request signed(String nonce) {
    return Request.post("{}").signedV2("acme", key.id(), key.value(), clock.millis(), nonce);
  }

  // --- nonces -----------------------------------------------------------------------------------

  @Test
  void a_request_that_one_node_took_is_a_replay_at_the_other() {
    Request request = signed("nonce-0000000001");
    one.admits(request);

    two.refuses(request, Code.REPLAYED);
    two.admits(signed("nonce-0000000002"));
  }

  @Test
  void a_kernel_that_is_alone_remembers_by_itself() {
    one.identity.cluster = null;
    Request request = signed("nonce-0000000001");

    one.admits(request);
    one.refuses(request, Code.REPLAYED);
  }

  @Test
  void a_node_takes_no_nonce_by_itself_before_its_cluster_is_there() {
    Request request = signed("nonce-0000000001");
    one.admits(request);
    two.close();
    two = Kernel.nodeIn(folder.resolve("two"), clock);
    two.refuses(signed("nonce-0000000002"), Code.BACKEND_UNAVAILABLE);
    assertThat(two.admits(Request.bearer(token)).keyId()).isNotEmpty();

    two.identity.cluster = cluster;
    two.refuses(request, Code.REPLAYED);
    two.admits(signed("nonce-0000000002"));
  }

  @Test
  void while_the_cluster_does_not_answer_no_signed_request_is_admitted() {
    Request request = signed("nonce-0000000001");
    cluster.fail("the server of the cluster cannot be reached");
    Problem problem = one.refuses(request, Code.BACKEND_UNAVAILABLE);
    assertThat(problem.message()).doesNotContain(key.value());
    assertThat(one.admits(Request.bearer(token)).keyId()).isNotEmpty();

    cluster.fail(null);
    one.admits(request);
    one.refuses(request, Code.REPLAYED);
    two.refuses(request, Code.REPLAYED);
  }

  @Test
  void a_nonce_is_remembered_as_long_as_any_node_could_take_it() {
    long[] keptMillis = {0};
    Nonces nonces =
        new Nonces(
            clock,
            Kernel.WINDOW,
            9,
            Map.of(),
            (tenant, nonce, kept) -> {
              keptMillis[0] = kept.toMillis();
              return true;
            });

    nonces.take("acme", "n1", clock.millis() + Kernel.WINDOW.toMillis());
    assertThat(keptMillis[0]).isEqualTo(Kernel.WINDOW.toMillis() * 2 + 60_000);
    nonces.take("acme", "n2", clock.millis());
    assertThat(keptMillis[0]).isEqualTo(Kernel.WINDOW.toMillis() + 60_000);
  }

  // --- revocations ------------------------------------------------------------------------------

  @Test
  void a_key_that_was_revoked_at_one_node_is_soon_refused_at_the_other() {
    two.admits(signed("nonce-0000000001"));
    one.identity.revokeKey("acme", key.id(), Kernel.OPERATOR);

    awaitRevoked(two);
    two.refuses(signed("nonce-0000000002"), Code.KEY_REVOKED);
    assertThat(two.journal.events)
        .anySatisfy(event -> assertThat(event.kind()).isEqualTo("key.revoked"));
  }

  private static void await(BooleanSupplier done) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SEEN_SECONDS_MAX);
    while (!done.getAsBoolean()) {
      assertThat(System.nanoTime()).as("not seen in time").isLessThan(end);
      Thread.onSpinWait();
    }
  }

  private void awaitRevoked(Kernel kernel) {
    await(() -> kernel.identity.keys("acme").get(0).revokedAt() != null);
  }

  @Test
  void the_bootstrap_token_that_was_revoked_at_one_node_is_soon_refused_at_the_other() {
    two.admits(Request.bearer(token));
    one.identity.revokeBootstrapToken(Kernel.OPERATOR);

    await(() -> !isAdmitted(two, Request.bearer(token)));
    two.refuses(Request.bearer(token), Code.KEY_REVOKED);
    assertThat(folder.resolve("two/bootstrap.token")).doesNotExist();
  }

  private static boolean isAdmitted(Kernel kernel, Request request) {
    try {
      kernel.admits(request);
      return true;
    } catch (Refused refused) {
      return false;
    }
  }

  @Test
  void what_was_revoked_while_a_node_was_down_is_revoked_there_when_it_comes_back() {
    two.close();
    one.identity.revokeKey("acme", key.id(), Kernel.OPERATOR);
    awaitListed(1);

    two = join("two");
    awaitRevoked(two);
  }

  @Test
  void what_was_revoked_while_the_cluster_was_away_is_told_once_it_is_back() {
    cluster.fail("the server of the cluster cannot be reached");
    one.identity.revokeKey("acme", key.id(), Kernel.OPERATOR);
    one.close();
    one = join("one");
    cluster.fail(null);

    awaitRevoked(two);
  }

  private void awaitListed(int number) {
    await(() -> cluster.get("identity/revoked/" + number).isPresent());
  }

  @Test
  void a_list_that_was_lost_is_made_anew_and_a_damaged_entry_is_passed_over() {
    one.identity.revokeKey("acme", key.id(), Kernel.OPERATOR);
    awaitRevoked(two);
    MapCluster fresh = new MapCluster();
    fresh.put("identity/revoked/1", 1, "{".getBytes(UTF_8));
    one.identity.cluster = fresh;

    await(() -> fresh.get("identity/revoked/2").isPresent());
    assertThat(new String(fresh.get("identity/revoked/2").orElseThrow().bytes(), UTF_8))
        .contains(key.id())
        .doesNotContain(key.value());
    assertThat(fresh.get("identity/revoked/3")).isEmpty();
  }
}
