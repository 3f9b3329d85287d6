package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.policy.PolicyVersions.Activation;
import org.aionos.kernel.policy.PolicyVersions.Origin;
import org.aionos.kernel.policy.PolicyVersions.Proposal;
import org.aionos.kernel.policy.PolicyVersions.Revoking;
import org.aionos.kernel.policy.PolicyVersions.State;
import org.aionos.kernel.policy.PolicyVersions.Version;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PolicyVersionsTest {

  static final String WIDE =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "wide"
      global: { allow: [network, gpu] }
      tenants: { acme: { allow: [network, gpu] }, beta: { allow: [network] } }
      """;

  static final String NARROW =
      WIDE.replace("\"wide\"", "\"narrow\"").replace("[network, gpu] }, beta", "[gpu] }, beta");

  private static final AgentId ACME = new AgentId("acme", "worker-1");
  private static final AgentId BETA = new AgentId("beta", "worker-1");

  @TempDir Path folder;
  private final EventList journal = new EventList();
  private final CountedMeters meters = new CountedMeters();
  private VersionedPolicy policy;

  private Path policies() {
    return folder.resolve("policies");
  }

  private void open() throws IOException {
    Files.createDirectories(policies());
    policy =
        Opened.policy(
            policies(),
            folder.resolve("state"),
            Duration.ofHours(1),
            new Disk(step -> {}),
            journal,
            meters,
            new Opened.Away(),
            System::nanoTime);
  }

  private void openWith(String capabilities) throws IOException {
    Files.createDirectories(policies());
    Files.writeString(policies().resolve(VersionedPolicy.FILE_NAME), capabilities);
    open();
  }

  @AfterEach
  void close() {
    policy.close();
  }

  private Version add(String name, String capabilities) {
    return policy.add(
        new Proposal(
            name,
            Map.of(VersionedPolicy.FILE_NAME, capabilities),
            null,
            Origin.OPERATOR,
            "because",
            Map.of("p95_ms", 12)),
        Opened.OPERATOR);
  }

  private static void refuses(Code code, ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().code()).isEqualTo(code));
  }

  private Decision decide(AgentId agent, String... capsRequired) {
    return policy.decide(
        Calls.asked(Calls.syscall(agent, "tool.invoke", Set.of(capsRequired))),
        Calls.agent(agent, Set.of("network", "gpu"), Set.of("*")),
        Set.of());
  }

  @Test
  void a_stored_version_is_whole_and_not_in_force() throws Exception {
    openWith(WIDE);
    Version narrow = add("narrow-1", NARROW);

    assertThat(narrow.state()).isEqualTo(State.STORED);
    assertThat(policy.version().id()).startsWith("wide-");
    assertThat(policy.find("narrow-1").files()).containsEntry(VersionedPolicy.FILE_NAME, NARROW);
    assertThat(policy.find("narrow-1").version().evidence()).containsEntry("p95_ms", 12);
    assertThat(policies().resolve("policy_versions/narrow-1/version.json")).exists();
    assertThat(add("other-name", NARROW).name()).isEqualTo("narrow-1");
    assertThat(policy.list(null, 10)).extracting(Version::name).startsWith("narrow-1").hasSize(2);
    assertThat(policy.list("narrow-1", 10)).hasSize(1);
  }

  @Test
  void a_switch_is_on_record_and_survives_a_restart_beside_an_unchanged_file() throws Exception {
    openWith(WIDE);
    add("narrow-1", NARROW);
    policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR);
    assertThat(policies().resolve("current").toRealPath().getFileName()).hasToString("narrow-1");
    policy.close();
    open();

    assertThat(policy.version().id()).isEqualTo("narrow-1");
    assertThat(policy.version().source()).endsWith("narrow-1/agent.capabilities.yaml");
    assertThat(journal.kinds)
        .containsExactly("policy.activated", "policy.stored", "policy.activated");
    assertThat(policy.list(null, 10))
        .extracting(Version::state)
        .containsExactly(State.CURRENT, State.FORMER);
    Files.writeString(policies().resolve(VersionedPolicy.FILE_NAME), WIDE + "# edited\n");
    policy.reload();
    assertThat(policy.version().id()).startsWith("wide-");
  }

  @Test
  void what_grants_more_takes_an_operator_who_names_what_was_looked_at() throws Exception {
    openWith(NARROW);
    Version wide = add("wide-1", WIDE);
    Caller viewer = Caller.person("eve", Role.VIEWER, null);
    Caller ofTenant = Caller.person("tom", Role.ADMIN, "acme");

    assertThat(policy.widening(policy.version().id(), "wide-1"))
        .extracting("pointer")
        .containsExactly("/tenants/acme/allow");
    refuses(Code.ROLE_REQUIRED, () -> policy.activate("wide-1", Activation.FOR_ALL, null));
    refuses(Code.ROLE_REQUIRED, () -> policy.activate("wide-1", Activation.FOR_ALL, viewer));
    refuses(Code.ROLE_REQUIRED, () -> policy.activate("wide-1", Activation.FOR_ALL, ofTenant));
    refuses(
        Code.APPROVAL_REQUIRED,
        () -> policy.activate("wide-1", Activation.FOR_ALL, Opened.OPERATOR));
    refuses(
        Code.CONFLICT,
        () ->
            policy.activate(
                "wide-1", new Activation("0".repeat(64), null, Set.of()), Opened.OPERATOR));
    refuses(
        Code.ROLE_REQUIRED,
        () -> policy.activate("wide-1", new Activation(wide.sha256(), null, Set.of()), null));
    assertThat(policy.version().id()).startsWith("narrow-");

    policy.activate("wide-1", new Activation(wide.sha256(), null, Set.of()), Opened.OPERATOR);
    assertThat(policy.version().id()).isEqualTo("wide-1");
  }

  @Test
  void the_kernel_by_itself_may_tighten() throws Exception {
    openWith(WIDE);
    add("narrow-1", NARROW);

    policy.activate("narrow-1", Activation.FOR_ALL, null);

    assertThat(decide(ACME, "network")).isInstanceOf(Decision.Deny.class);
    assertThat(decide(ACME).policyVersion()).isEqualTo("narrow-1");
  }

  @Test
  void an_operator_goes_back_whole_to_what_was_in_force_and_to_nothing_else() throws Exception {
    openWith(WIDE);
    String wide = policy.version().id();
    add("narrow-1", NARROW);
    add("never-1", NARROW + "# never\n");
    policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR);

    refuses(Code.CONFLICT, () -> policy.rollback("never-1", "", Opened.OPERATOR));
    refuses(Code.NOT_FOUND, () -> policy.rollback("../../etc", "", Opened.OPERATOR));
    refuses(Code.ROLE_REQUIRED, () -> policy.rollback(wide, "", null));
    policy.rollback(wide, "too tight", Opened.OPERATOR);

    assertThat(policy.version().id()).isEqualTo(wide);
    assertThat(journal.kinds).endsWith("policy.rolled_back");
    assertThat(meters.counters)
        .containsEntry("aion_policy_rollbacks_total", 1L)
        .containsEntry("aion_policy_switches_total", 3L);
  }

  @Test
  void a_canary_decides_and_tunes_for_its_tenants_and_for_no_others() throws Exception {
    openWith(WIDE);
    String wide = policy.version().id();
    policy.add(
        new Proposal(
            "narrow-1",
            Map.of(
                VersionedPolicy.FILE_NAME,
                NARROW,
                "quotas.yaml",
                "apiVersion: aion.os/v1\nkind: QuotaPolicy\ndefault: { max_concurrency: 1 }\n",
                "scheduler.yaml",
                "apiVersion: aion.os/v1\nkind: SchedulerPolicy\nslice_ms: 77\n"),
            wide,
            Origin.BRAIN,
            "",
            Map.of()),
        null);
    policy.activate("narrow-1", new Activation(null, null, Set.of("acme")), null);

    assertThat(decide(ACME).policyVersion()).isEqualTo("narrow-1");
    assertThat(decide(BETA).policyVersion()).isEqualTo(wide);
    assertThat(policy.quota("acme").maxConcurrency()).isEqualTo(1);
    assertThat(policy.quota("beta").maxConcurrency()).isNull();
    assertThat(policy.scheduling().sliceMillis()).isNull();
    assertThat(policy.canary()).get().extracting("version").isEqualTo("narrow-1");
    refuses(
        Code.CONFLICT,
        () -> policy.activate("narrow-1", new Activation(null, 5, Set.of()), Opened.OPERATOR));
    policy.close();
    open();
    assertThat(decide(ACME).policyVersion()).isEqualTo("narrow-1");

    policy.promote(null);
    assertThat(decide(BETA).policyVersion()).isEqualTo("narrow-1");
    assertThat(policy.scheduling().sliceMillis()).isEqualTo(77);
    assertThat(policy.canary()).get().extracting("watched").isEqualTo(true);
  }

  @Test
  void a_canary_that_ends_is_nobodys_any_more() throws Exception {
    openWith(WIDE);
    add("narrow-1", NARROW);
    policy.activate("narrow-1", new Activation(null, null, Set.of("acme")), Opened.OPERATOR);
    policy.end("enough seen", Opened.OPERATOR);

    assertThat(decide(ACME).policyVersion()).startsWith("wide-");
    assertThat(policy.canary()).isEmpty();
    refuses(Code.NOT_FOUND, () -> policy.end("", Opened.OPERATOR));
    assertThat(journal.kinds).endsWith("policy.canary_begun", "policy.canary_ended");
  }

  @Test
  void a_share_of_tenants_is_about_that_share_and_always_the_same_tenants() throws Exception {
    openWith(WIDE);
    add("narrow-1", NARROW);
    policy.activate("narrow-1", new Activation(null, 20, Set.of()), Opened.OPERATOR);

    int taken = 0;
    Set<String> first = new HashSet<>();
    for (int i = 0; i < 2_000; i++) {
      String version = decide(new AgentId("tenant-" + i, "a")).policyVersion();
      if (version.equals("narrow-1")) {
        taken++;
        first.add("tenant-" + i);
      }
    }
    assertThat(taken).isBetween(320, 480);
    for (String tenant : first) {
      assertThat(decide(new AgentId(tenant, "b")).policyVersion()).isEqualTo("narrow-1");
    }
  }

  @Test
  void what_is_taken_away_is_denied_before_any_version_speaks_and_after_each_switch()
      throws Exception {
    openWith(WIDE);
    add("narrow-1", WIDE.replace("\"wide\"", "\"other\""));
    var tool =
        policy.revoke(new Revoking("acme", null, null, "pay*", null, "it pays"), Opened.OPERATOR);
    var capability =
        policy.revoke(new Revoking(null, null, "gpu", null, null, "it burns"), Opened.OPERATOR);
    policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR);
    policy.close();
    open();

    Decision.Allow permit = (Decision.Allow) decide(ACME);
    assertThat(permit.grants()).containsExactly("network");
    assertThat(permit.withheld()).containsEntry("gpu", "revocations/" + capability.id());
    assertThat(decide(BETA, "gpu").rule()).isEqualTo("revocations/" + capability.id());
    var agent = Calls.agent(ACME, Set.of(), Set.of("*"));
    Decision paying = policy.decideTool(permit, agent, "pay_all", Set.of(), Trust.HIGH);
    assertThat(paying.rule()).isEqualTo("revocations/" + tool.id());
    assertThat(((Decision.Deny) paying).problem().message()).contains("it pays");
    assertThat(policy.decideTool(permit, agent, "echo", Set.of(), Trust.HIGH)).isEqualTo(permit);

    refuses(Code.ROLE_REQUIRED, () -> policy.lift(tool.id(), null));
    refuses(Code.NOT_FOUND, () -> policy.lift("rv-none", Opened.OPERATOR));
    policy.lift(capability.id(), Opened.OPERATOR);
    assertThat(((Decision.Allow) decide(ACME)).grants()).contains("gpu");
  }

  @Test
  void revocations_by_hand_hold_too_and_a_file_that_cannot_be_read_lifts_nothing()
      throws Exception {
    openWith(WIDE);
    Path file = policies().resolve(RevocationFile.FILE_NAME);
    Files.writeString(
        file,
        """
        apiVersion: aion.os/v1
        kind: PolicyRevocations
        revocations: [{ tenant: acme, syscall: "tool.*", reason: "by hand" }]
        """);
    policy.close();
    open();
    assertThat(decide(ACME)).isInstanceOf(Decision.Deny.class);
    assertThat(decide(BETA)).isInstanceOf(Decision.Allow.class);

    Files.writeString(file, "kind: nonsense");
    policy.close();
    open();
    assertThat(decide(ACME)).isInstanceOf(Decision.Deny.class);
    assertThat(policy.version().rejected()).contains("revocations.yaml");

    Files.delete(file);
    policy.close();
    open();
    assertThat(decide(ACME)).isInstanceOf(Decision.Deny.class);
    assertThat(file).exists();
    refuses(
        Code.INVALID_FIELD,
        () -> policy.revoke(new Revoking(null, null, "a", "b", null, "two"), Opened.OPERATOR));
    refuses(
        Code.INVALID_FIELD,
        () -> policy.revoke(new Revoking("../x", null, "a", null, null, "y"), Opened.OPERATOR));
  }

  @Test
  void a_version_whose_files_were_changed_is_not_used_and_named() throws Exception {
    openWith(WIDE);
    add("narrow-1", NARROW);
    Path stored = policies().resolve("policy_versions/narrow-1").resolve(VersionedPolicy.FILE_NAME);
    Files.writeString(stored, WIDE);

    refuses(Code.CONFLICT, () -> policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR));
    policy.close();
    open();
    assertThat(policy.list(null, 10))
        .filteredOn(version -> version.state() == State.DAMAGED)
        .extracting(Version::name)
        .containsExactly("narrow-1");
  }

  @Test
  void a_current_version_that_is_damaged_or_gone_gives_way_to_the_last_good_one() throws Exception {
    openWith(NARROW);
    String narrow = policy.version().id();
    Version wide = add("wide-1", WIDE);
    policy.activate("wide-1", new Activation(wide.sha256(), null, Set.of()), Opened.OPERATOR);
    policy.close();
    Files.delete(policies().resolve("policy_versions/wide-1/version.json"));
    open();
    assertThat(policy.version().id()).isEqualTo(narrow);

    policy.close();
    Files.delete(policies().resolve("current"));
    Files.createSymbolicLink(policies().resolve("current"), Path.of("../../etc"));
    open();
    assertThat(policy.current()).isPresent();
  }

  @Test
  void what_is_no_policy_is_refused_with_file_and_pointer_and_kept_nowhere() throws Exception {
    openWith(WIDE);
    assertThatThrownBy(
            () -> add("bad-1", WIDE.replace("allow: [network, gpu] }, b", "alow: [] }, b")))
        .isInstanceOfSatisfying(
            Refused.class,
            refused ->
                assertThat(refused.problem().pointer())
                    .isEqualTo("/files/agent.capabilities.yaml/tenants/acme/alow"));
    refuses(Code.INVALID_FIELD, () -> add("../x", NARROW));
    refuses(Code.INVALID_FIELD, () -> add("current", NARROW));
    assertThat(policy.list(null, 10)).hasSize(1);
    add("narrow-1", NARROW);
    refuses(Code.CONFLICT, () -> add("narrow-1", NARROW + "# other\n"));
  }

  @Test
  void nothing_changes_that_cannot_be_recorded() throws Exception {
    openWith(WIDE);
    add("narrow-1", NARROW);
    journal.away = true;

    refuses(
        Code.JOURNAL_UNAVAILABLE,
        () -> policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR));
    refuses(
        Code.JOURNAL_UNAVAILABLE,
        () -> policy.revoke(new Revoking(null, null, "gpu", null, null, "x"), Opened.OPERATOR));
    assertThat(policy.version().id()).startsWith("wide-");
    assertThat(policy.revocations()).isEmpty();
  }

  @Test
  void old_versions_go_but_not_those_to_go_back_to() throws Exception {
    openWith(WIDE);
    String wide = policy.version().id();
    add("narrow-1", NARROW);
    policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR);
    for (int i = 0; i < 210; i++) {
      add("v" + i, NARROW + "# " + i + "\n");
    }

    List<String> names = policy.list(null, 1_000).stream().map(Version::name).toList();
    assertThat(names).hasSize(202).contains(wide, "narrow-1", "v209").doesNotContain("v5");
    assertThat(policies().resolve("policy_versions/v5")).doesNotExist();
  }

  @Test
  void fifty_switches_at_once_come_one_after_another() throws Exception {
    openWith(WIDE);
    for (int i = 0; i < 5; i++) {
      add("same-" + i, WIDE + "# " + i + "\n");
    }
    int before = journal.kinds.size();
    ExecutorService threads = Executors.newFixedThreadPool(10);
    CountDownLatch begin = new CountDownLatch(1);
    AtomicInteger told = new AtomicInteger();
    List<Future<?>> all = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      String version = "same-" + i % 5;
      all.add(
          threads.submit(
              () -> {
                begin.await();
                policy.activate(version, Activation.FOR_ALL, Opened.OPERATOR);
                return told.incrementAndGet();
              }));
    }
    begin.countDown();
    for (Future<?> each : all) {
      each.get(60, TimeUnit.SECONDS);
    }
    threads.shutdown();

    String last = String.valueOf(journal.facts.get(journal.facts.size() - 1).get("version"));
    assertThat(told).hasValue(50);
    assertThat(policy.version().id()).isEqualTo(last);
    assertThat(policies().resolve("current").toRealPath().getFileName()).hasToString(last);
    List<Map<String, Object>> switches = journal.facts.subList(before, journal.facts.size());
    for (int i = 1; i < switches.size(); i++) {
      assertThat(switches.get(i).get("before")).isEqualTo(switches.get(i - 1).get("version"));
    }
  }

  @Test
  void listeners_are_told_of_changes() throws Exception {
    openWith(WIDE);
    CountDownLatch told = new CountDownLatch(1);
    AutoCloseable listening = policy.listen(told::countDown);
    add("narrow-1", NARROW);
    policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR);

    assertThat(told.await(10, TimeUnit.SECONDS)).isTrue();
    listening.close();
  }
}
