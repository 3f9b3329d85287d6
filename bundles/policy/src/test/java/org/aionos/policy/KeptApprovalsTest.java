package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.policy.Approvals.Approval;
import org.aionos.kernel.policy.Approvals.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class KeptApprovalsTest {

  private static final AgentId WORKER = new AgentId("acme", "worker-1");
  private static final Duration KEPT = Duration.ofMinutes(15);

  @TempDir Path folder;
  private final EventList journal = new EventList();
  private final Random random = new Random(3);
  private final CountedMeters meters = new CountedMeters();
  private Instant now = Instant.parse("2026-12-01T00:00:00Z");
  private KeptApprovals approvals;

  @BeforeEach
  void open() throws IOException {
    approvals = new KeptApprovals(folder, KEPT, journal, meters, () -> now, random);
  }

  @AfterEach
  void close() throws Exception {
    approvals.close();
  }

  private static Asked call(AgentId agent, Map<String, Object> params) {
    return Calls.asked(Calls.syscall(agent, "tool.invoke", Set.of(), params));
  }

  private static Decision.AfterApproval decision(String version) {
    return new Decision.AfterApproval(
        new Decision.Allow("tenants/acme", version, Set.of(), Map.of()), "global/tools/approve");
  }

  private Refused refused(AgentId agent, Map<String, Object> params) {
    return refused(agent, params, "pay@1.0.0", "v1");
  }

  private Refused refused(
      AgentId agent, Map<String, Object> params, String subject, String version) {
    Refused refused =
        catchThrowableOfType(
            Refused.class, () -> approvals.use(decision(version), call(agent, params), subject));
    assertThat(refused).isNotNull();
    return refused;
  }

  private static void refuses(Code code, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().code()).isEqualTo(code));
  }

  private String only() {
    assertThat(approvals.list(null)).hasSize(1);
    return approvals.list(null).get(0).id();
  }

  @Test
  void a_call_waits_is_approved_and_runs_once() {
    Refused first = refused(WORKER, Map.of("amount", 5));
    String id = only();
    assertThat(first.problem().code()).isEqualTo(Code.APPROVAL_REQUIRED);
    assertThat(first.problem().message()).contains(id);
    assertThat(first.problem().admit()).contains("/v1/approvals/" + id + "/approve");
    assertThat(first.problem().rule()).isEqualTo("global/tools/approve");
    assertThat(refused(WORKER, Map.of("amount", 5)).problem().message()).contains(id);
    assertThat(meters.gauges.get("aion_approvals_waiting").getAsDouble()).isEqualTo(1);

    approvals.decide(id, true, Opened.OPERATOR);
    assertThat(meters.gauges.get("aion_approvals_waiting").getAsDouble()).isZero();
    approvals.use(decision("v1"), call(WORKER, Map.of("amount", 5)), "pay@1.0.0");

    assertThat(refused(WORKER, Map.of("amount", 5)).problem().message()).doesNotContain(id);
    assertThat(journal.kinds)
        .containsExactly("approval.asked", "approval.approved", "approval.used", "approval.asked");
  }

  @Test
  void an_approval_is_of_one_call_alone() {
    Map<String, Object> params = new LinkedHashMap<>();
    params.put("a", 1);
    params.put("b", Map.of("c", List.of(1, 2)));
    refused(WORKER, params);
    approvals.decide(only(), true, Opened.OPERATOR);

    refused(new AgentId("acme", "worker-2"), params);
    refused(WORKER, Map.of("a", 2, "b", Map.of("c", List.of(1, 2))));
    refused(WORKER, params, "pay@1.0.1", "v1");
    refused(WORKER, params, "pay@1.0.0", "v2");
    approvals.use(
        decision("v1"), call(WORKER, Map.of("b", Map.of("c", List.of(1, 2)), "a", 1)), "pay@1.0.0");
  }

  @Test
  void of_many_that_use_it_at_once_one_does() throws Exception {
    refused(WORKER, Map.of());
    approvals.decide(only(), true, Opened.OPERATOR);
    ExecutorService threads = Executors.newFixedThreadPool(8);
    CountDownLatch begin = new CountDownLatch(1);
    List<Future<Boolean>> all = new ArrayList<>();
    for (int i = 0; i < 32; i++) {
      all.add(
          threads.submit(
              () -> {
                begin.await();
                try {
                  approvals.use(decision("v1"), call(WORKER, Map.of()), "pay@1.0.0");
                  return true;
                } catch (Refused waits) {
                  return false;
                }
              }));
    }
    begin.countDown();
    int used = 0;
    for (Future<Boolean> each : all) {
      used += each.get(30, TimeUnit.SECONDS) ? 1 : 0;
    }
    threads.shutdown();

    assertThat(used).isEqualTo(1);
  }

  @Test
  void what_was_asked_decided_and_used_survives_a_crash() throws Exception {
    refused(WORKER, Map.of("n", 1));
    String id = only();
    approvals.decide(id, true, Opened.OPERATOR);
    open();
    approvals.use(decision("v1"), call(WORKER, Map.of("n", 1)), "pay@1.0.0");
    open();

    assertThat(approvals.list(null)).isEmpty();
    refuses(Code.CONFLICT, () -> approvals.decide(id, true, Opened.OPERATOR));
    assertThat(refused(WORKER, Map.of("n", 1)).problem().message()).doesNotContain(id);
  }

  @Test
  void a_torn_end_of_the_file_is_cut_off_and_what_is_damaged_approves_nothing() throws Exception {
    refused(WORKER, Map.of("n", 1));
    refused(WORKER, Map.of("n", 2));
    Path file = folder.resolve(KeptApprovals.FILE_NAME);
    Files.writeString(file, "1234abcd {\"id\":\"ap-", StandardOpenOption.APPEND);
    open();
    assertThat(approvals.list(null)).hasSize(2);
    refused(WORKER, Map.of("n", 3));
    open();
    assertThat(approvals.list(null)).hasSize(3);

    String text = Files.readString(file);
    Files.writeString(file, text.replaceFirst("\"waiting\"", "\"approved\""));
    open();
    assertThat(approvals.list(null)).isEmpty();
  }

  @Test
  void it_ends_by_itself_decided_or_not() {
    refused(WORKER, Map.of());
    String id = only();
    approvals.decide(id, true, Opened.OPERATOR);
    now = now.plus(KEPT);

    assertThat(approvals.list(null)).isEmpty();
    refuses(Code.NOT_FOUND, () -> approvals.decide(id, true, Opened.OPERATOR));
    assertThat(refused(WORKER, Map.of()).problem().message()).doesNotContain(id);
  }

  @Test
  void an_operator_decides_once_and_nobody_else() {
    refused(WORKER, Map.of());
    String id = only();
    refuses(
        Code.ROLE_REQUIRED,
        () -> approvals.decide(id, true, Caller.person("eve", Role.VIEWER, null)));
    refuses(
        Code.NOT_FOUND, () -> approvals.decide(id, true, Caller.person("b", Role.ADMIN, "beta")));
    refuses(
        Code.ROLE_REQUIRED, () -> approvals.decide(id, true, Caller.tenantSecret("acme", true)));
    approvals.decide(id, false, Opened.OPERATOR);
    assertThat(approvals.decide(id, false, Opened.OPERATOR).state()).isEqualTo(State.REFUSED);
    refuses(Code.CONFLICT, () -> approvals.decide(id, true, Opened.OPERATOR));

    assertThat(refused(WORKER, Map.of()).problem().message()).contains("refused").contains(id);
  }

  @Test
  void a_person_is_shown_the_params_without_secrets_and_cut() {
    refused(
        WORKER,
        Map.of(
            "to",
            "bob",
            "api_key",
            "hush-1",
            "nested",
            List.of(Map.of("Authorization", "hush-2", "pass", Map.of("PASSWORD", "hush-3"))),
            "long",
            "x".repeat(5_000)));

    Approval shown = approvals.list("acme").get(0);
    assertThat(shown.shown()).doesNotContain("hush").hasSizeLessThanOrEqualTo(2_000);
    assertThat(approvals.list("beta")).isEmpty();
    assertThat(journal.facts.toString()).doesNotContain("hush").doesNotContain("bob");
  }

  @Test
  void one_tenant_cannot_fill_what_persons_look_through() {
    for (int i = 0; i < KeptApprovals.WAITING_PER_TENANT_MAX; i++) {
      refused(WORKER, Map.of("n", i));
    }
    assertThat(refused(WORKER, Map.of("n", -1)).problem().code()).isEqualTo(Code.QUEUE_FULL);
    assertThat(refused(WORKER, Map.of("n", 1)).problem().code()).isEqualTo(Code.APPROVAL_REQUIRED);
    assertThat(refused(new AgentId("beta", "one"), Map.of()).problem().code())
        .isEqualTo(Code.APPROVAL_REQUIRED);
  }

  @Test
  void the_file_does_not_grow_for_ever() throws Exception {
    for (int i = 0; i < 1_200; i++) {
      refused(WORKER, Map.of("n", i));
      now = now.plus(KEPT);
    }
    assertThat(Files.readAllLines(folder.resolve(KeptApprovals.FILE_NAME))).hasSizeLessThan(1_100);
    refused(WORKER, Map.of("n", "last"));
    open();
    assertThat(approvals.list(null)).hasSize(1);
  }

  @Test
  void what_cannot_be_recorded_is_not_approved() {
    refused(WORKER, Map.of());
    String id = only();
    journal.away = true;
    refuses(Code.JOURNAL_UNAVAILABLE, () -> approvals.decide(id, true, Opened.OPERATOR));
    journal.away = false;

    assertThat(approvals.list(null).get(0).state()).isEqualTo(State.WAITING);
  }
}
