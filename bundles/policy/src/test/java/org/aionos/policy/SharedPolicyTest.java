package org.aionos.policy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.aionos.document.Documents;
import org.aionos.kernel.policy.PolicyVersions;
import org.aionos.kernel.policy.PolicyVersions.Revoking;
import org.aionos.tasks.MapCluster;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes of one cluster, each with a policy file of its own. */
final class SharedPolicyTest {

  private static final String GOOD =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "%s"
      global: { allow: [network] }
      tenants: { acme: { allow: [network] } }
      """;

  /** The two seconds that are promised, and what a busy machine may add. */
  private static final long SEEN_SECONDS_MAX = 8;

  @TempDir Path folder;
  private final MapCluster cluster = new MapCluster();
  private final List<VersionedPolicy> open = new ArrayList<>();
  private volatile long nanos;

  @AfterEach
  void close() {
    open.forEach(VersionedPolicy::close);
  }

  private VersionedPolicy node(String name) {
    return node(name, Duration.ofHours(1));
  }

  private VersionedPolicy node(String name, Duration reload) {
    VersionedPolicy node =
        Opened.policy(
            folder.resolve(name).resolve("policies"),
            folder.resolve(name).resolve("state"),
            reload,
            new EventList(),
            () -> nanos);
    node.cluster = cluster;
    open.add(node);
    return node;
  }

  private Path file(String name) {
    return folder.resolve(name).resolve("policies").resolve(VersionedPolicy.FILE_NAME);
  }

  private void write(String name, String text) throws IOException {
    Files.createDirectories(file(name).getParent());
    Files.writeString(file(name), text);
  }

  private static String version(VersionedPolicy node) {
    return node.version().id().replaceFirst("-[0-9a-f]{8}$", "");
  }

  @Test
  void a_node_that_comes_takes_the_policy_of_the_others_and_keeps_what_it_had() throws Exception {
    write("one", GOOD.formatted("1"));
    write("two", GOOD.formatted("of-two"));
    node("one").exchange();
    VersionedPolicy two = node("two");
    two.exchange();

    assertThat(version(two)).isEqualTo("1");
    assertThat(file("two")).hasSameTextualContentAs(file("one"));
    assertThat(folder.resolve("two/state/superseded." + VersionedPolicy.FILE_NAME))
        .content()
        .contains("of-two");
    assertThat(two.behind()).isEmpty();
  }

  @Test
  void a_node_without_a_file_gets_one() throws Exception {
    write("one", GOOD.formatted("1"));
    node("one").exchange();
    VersionedPolicy two = node("two");
    Files.createDirectories(file("two").getParent());
    two.exchange();

    assertThat(version(two)).isEqualTo("1");
    assertThat(file("two")).exists();
  }

  @Test
  void a_change_at_one_node_reaches_the_others_by_itself() throws Exception {
    Duration reload = Duration.ofMillis(100);
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one", reload);
    VersionedPolicy two = node("two", reload);
    Files.createDirectories(file("two").getParent());
    await(two, "1");
    write("two", GOOD.formatted("2"));

    await(one, "2");
    assertThat(file("one")).content().contains("version: \"2\"");
  }

  private static byte[] written(String name, String capabilities) {
    return Documents.write(
        Map.of("version", name, "files", Map.of(VersionedPolicy.FILE_NAME, capabilities)));
  }

  private static void await(VersionedPolicy node, String version) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SEEN_SECONDS_MAX);
    while (!version(node).equals(version)) {
      assertThat(System.nanoTime()).as("%s", node.version()).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  @Test
  void a_file_that_was_changed_while_its_node_was_down_is_the_next_version() throws Exception {
    write("one", GOOD.formatted("1"));
    write("two", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    VersionedPolicy two = node("two");
    two.exchange();
    two.close();
    write("two", GOOD.formatted("2"));
    node("two").exchange();
    one.exchange();

    assertThat(version(one)).isEqualTo("2");
    assertThat(cluster.get(SharedPolicy.NAME).orElseThrow().number()).isEqualTo(2);
  }

  @Test
  void a_node_that_was_away_takes_what_came_meanwhile_and_does_not_bring_back_the_old()
      throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    VersionedPolicy two = node("two");
    Files.createDirectories(file("two").getParent());
    two.exchange();
    two.close();
    write("one", GOOD.formatted("2"));
    one.reload();
    one.exchange();
    two = node("two");
    two.exchange();
    one.exchange();

    assertThat(version(two)).isEqualTo("2");
    assertThat(version(one)).isEqualTo("2");
  }

  @Test
  void a_server_that_lost_the_policy_is_given_it_again() throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    MapCluster fresh = new MapCluster();
    one.cluster = fresh;
    one.exchange();

    assertThat(
            Switches.Given.read(fresh.get(SharedPolicy.NAME).orElseThrow().bytes())
                .document()
                .texts())
        .containsExactly(Map.entry(VersionedPolicy.FILE_NAME, Files.readString(file("one"))));
  }

  @Test
  void a_policy_that_cannot_be_used_is_not_taken_and_soon_said_to_be_missing() throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    cluster.put(SharedPolicy.NAME, 9, "kind: Other".getBytes(UTF_8));
    one.exchange();

    assertThat(version(one)).isEqualTo("1");
    assertThat(file("one")).content().contains("version: \"1\"");
    assertThat(one.behind()).isEmpty();
    nanos += TimeUnit.MILLISECONDS.toNanos(SharedPolicy.BEHIND_MILLIS_MAX) + 1;
    assertThat(one.behind()).startsWith("the cluster's policy cannot be used here: ");

    cluster.put(SharedPolicy.NAME, 10, written("named-elsewhere", GOOD.formatted("10")));
    one.exchange();
    assertThat(version(one)).isEqualTo("named-elsewhere");
    assertThat(file("one")).content().contains("version: \"10\"");
    assertThat(one.behind()).isEmpty();
  }

  @Test
  void a_node_that_does_not_reach_the_cluster_says_so_and_goes_on_with_what_it_has()
      throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    cluster.fail("the server of the cluster cannot be reached");
    one.exchange();
    nanos += TimeUnit.SECONDS.toNanos(1);
    one.exchange();
    assertThat(one.behind()).isEmpty();
    nanos += TimeUnit.SECONDS.toNanos(1) + 1;

    assertThat(one.behind())
        .isEqualTo(
            "whether there is a newer policy cannot be told: the server of the cluster cannot be"
                + " reached");
    assertThat(version(one)).isEqualTo("1");
    cluster.fail(null);
    one.exchange();
    assertThat(one.behind()).isEmpty();
    one.cluster = null;
    one.exchange();
    assertThat(one.behind()).isEmpty();
  }

  @Test
  void of_nodes_that_change_at_once_one_wins_and_all_have_the_same() throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    VersionedPolicy two = node("two");
    Files.createDirectories(file("two").getParent());
    two.exchange();
    write("one", GOOD.formatted("by-one"));
    write("two", GOOD.formatted("by-two"));
    one.reload();
    two.reload();
    for (int i = 0; i < 2; i++) {
      one.exchange();
      two.exchange();
    }

    assertThat(version(one)).isEqualTo(version(two)).startsWith("by-");
    assertThat(cluster.get(SharedPolicy.NAME).orElseThrow().number()).isEqualTo(2);
  }

  @Test
  void a_whole_version_is_shared_and_not_its_capabilities_alone() throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    VersionedPolicy two = node("two");
    two.exchange();
    var version =
        one.add(
            new PolicyVersions.Proposal(
                "winter",
                Map.of(
                    VersionedPolicy.FILE_NAME,
                    GOOD.formatted("1"),
                    "quotas.yaml",
                    "apiVersion: aion.os/v1\nkind: QuotaPolicy\ndefault: { max_concurrency: 2 }\n"),
                null,
                PolicyVersions.Origin.OPERATOR,
                "",
                Map.of()),
            Opened.OPERATOR);
    one.activate(version.name(), PolicyVersions.Activation.FOR_ALL, Opened.OPERATOR);
    one.exchange();
    two.exchange();

    assertThat(two.version().id()).isEqualTo("winter");
    assertThat(two.quota("acme").maxConcurrency()).isEqualTo(2);
    assertThat(two.current().orElseThrow().sha256()).isEqualTo(version.sha256());
  }

  @Test
  void what_is_taken_away_at_one_node_is_taken_away_at_all_and_given_back_at_all()
      throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    VersionedPolicy two = node("two");
    two.exchange();
    var revoked =
        one.revoke(new Revoking("acme", null, "network", null, null, "it leaks"), Opened.OPERATOR);
    one.exchange();
    two.exchange();
    assertThat(two.revocations()).containsExactly(revoked);

    two.lift(revoked.id(), Opened.OPERATOR);
    two.exchange();
    one.exchange();
    assertThat(one.revocations()).isEmpty();
    assertThat(one.behind() + two.behind()).isEmpty();
  }

  @Test
  void what_two_nodes_take_away_at_once_is_taken_away_at_both() throws Exception {
    write("one", GOOD.formatted("1"));
    VersionedPolicy one = node("one");
    one.exchange();
    VersionedPolicy two = node("two");
    two.exchange();
    one.revoke(new Revoking("acme", null, "network", null, null, "of one"), Opened.OPERATOR);
    two.revoke(new Revoking("acme", null, null, "pay", null, "of two"), Opened.OPERATOR);
    for (int i = 0; i < 3; i++) {
      one.exchange();
      two.exchange();
    }

    assertThat(one.revocations())
        .extracting(each -> each.what().reason())
        .containsExactlyInAnyOrder("of one", "of two");
    assertThat(two.revocations()).containsExactlyElementsOf(one.revocations());
  }
}
