package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.task.Scheduler.Submission;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SubmissionsTest {

  private static final long NOW = 1_000_000;
  private static final AgentId AGENT = new AgentId("acme", "worker");

  private String id = "t-1";
  private String intent = "syscall:tool.invoke";
  private @Nullable Integer priority;
  private Map<String, @Nullable Object> quota = Map.of();
  private Map<String, @Nullable Object> retry = Map.of();
  private Map<String, @Nullable Object> params = Map.of();
  private @Nullable Long deadline;
  private Map<String, @Nullable Object> spec = Map.of("entry", "python x");

  private Submission submission() {
    return new Submission(id, AGENT, intent, priority, quota, retry, params, deadline);
  }

  private Order order() {
    AgentProcess row = new World.FakeProcesses().put(AGENT, AgentProcess.State.ALIVE, spec);
    Submissions.requireId(submission());
    return Submissions.order(submission(), row, settings("{}"), "me", NOW);
  }

  private static SchedulerSettings settings(String yaml) {
    try {
      return SchedulerSettings.read(yaml.getBytes(StandardCharsets.UTF_8));
    } catch (InvalidDocument invalid) {
      throw new AssertionError(invalid);
    }
  }

  private void assertRefused(Code code, String pointer) {
    Refused refused = catchThrowableOfType(Refused.class, this::order);
    assertThat(refused).as(pointer).isNotNull();
    Problem problem = refused.problem();
    assertThat(problem.code()).isEqualTo(code);
    assertThat(problem.pointer()).isEqualTo(pointer);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "-a", "a b", "a/b", "ü"})
  void an_id_is_a_name(String bad) {
    id = bad;
    assertRefused(Code.INVALID_FIELD, "/task_id");
    id = "x".repeat(129);
    assertRefused(Code.INVALID_FIELD, "/task_id");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "call",
        "syscall:",
        "syscall:X",
        "agent:",
        "agent:a b",
        "workflow:x",
        "other:x"
      })
  void an_intent_is_one_of_three(String bad) {
    intent = bad;
    assertRefused(Code.INVALID_FIELD, "/intent");
  }

  @Test
  void an_agent_launches_itself_alone_and_only_if_it_has_an_entry() {
    intent = "agent:other";
    assertRefused(Code.INVALID_FIELD, "/intent");
    intent = "agent:worker";
    assertThat(order().meant()).isEqualTo(new Intent.Agent("worker"));
    spec = Map.of();
    assertRefused(Code.INVALID_FIELD, "/intent");
  }

  @Test
  void params_are_bounded_and_those_of_an_agent_fit_into_its_environment() {
    params = Map.of("text", "x".repeat(70_000));
    assertRefused(Code.INVALID_FIELD, "/params");
    intent = "agent:worker";
    params = Map.of("text", "x".repeat(140_000));
    AgentProcess row = new World.FakeProcesses().put(AGENT, AgentProcess.State.ALIVE, spec);
    Refused refused =
        catchThrowableOfType(
            Refused.class,
            () ->
                Submissions.order(
                    submission(), row, settings("limits: {params_bytes_max: 1000000}"), "", NOW));
    assertThat(refused.problem().pointer()).isEqualTo("/params");
  }

  @Test
  void a_workflow_has_steps() {
    intent = "workflow";
    assertRefused(Code.MISSING_FIELD, "/params/steps");
    params = Map.of("steps", java.util.List.of(), "more", 1);
    assertRefused(Code.INVALID_FIELD, "/params/more");
  }

  @Test
  void a_deadline_lies_ahead() {
    deadline = NOW;
    assertRefused(Code.INVALID_FIELD, "/deadline");
    deadline = NOW + 1;
    assertThat(order().deadlineMillis()).isEqualTo(NOW + 1);
  }

  @Test
  void quota_and_retry_hold_what_is_known_within_bounds() {
    quota = Map.of("calls_max", -1);
    assertRefused(Code.INVALID_FIELD, "/quota/calls_max");
    quota = Map.of("usd", 1);
    assertRefused(Code.INVALID_FIELD, "/quota/usd");
    quota = Map.of("time_ms_max", 0);
    assertRefused(Code.INVALID_FIELD, "/quota/time_ms_max");
    quota = Map.of("usd_max", "1");
    assertRefused(Code.INVALID_FIELD, "/quota/usd_max");
    quota = Map.of();
    retry = Map.of("attempts_max", 101);
    assertRefused(Code.INVALID_FIELD, "/retry/attempts_max");
    retry = Map.of("backoff", 1);
    assertRefused(Code.INVALID_FIELD, "/retry/backoff");
  }

  @Test
  void what_is_not_said_comes_from_the_manifest_and_then_from_the_settings() {
    assertThat(order().priority()).isEqualTo(5);
    assertThat(order().retry().attemptsMax()).isEqualTo(3);
    spec = Map.of("priority", "high");
    assertThat(order().priority()).isEqualTo(8);
    assertThat(order().tier()).isEqualTo(Tier.HIGH);
    priority = 0;
    assertThat(order().priority()).isZero();
    retry = Map.of("attempts_max", 7);
    assertThat(order().retry().attemptsMax()).isEqualTo(7);
  }

  @Test
  void an_order_is_read_as_it_was_written() {
    quota = Map.of("calls_max", 3, "usd_max", 0.25);
    retry = Map.of("attempts_max", 2, "backoff_ms", 5);
    deadline = NOW + 5;
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("none", null);
    params = values;
    Order order = order();
    Work work = Work.submitted(new org.aionos.kernel.task.TaskStore.Key("acme", id), AGENT, order);

    assertThat(Work.of(work.row()).order()).usingRecursiveComparison().isEqualTo(order);
  }

  @Test
  void the_digest_names_what_was_asked_for_and_nothing_else() {
    String digest = Submissions.digest(submission());
    id = "other";
    assertThat(Submissions.digest(submission())).isEqualTo(digest);
    priority = 5;
    assertThat(Submissions.digest(submission())).isNotEqualTo(digest);
    priority = null;
    deadline = 9L;
    assertThat(Submissions.digest(submission())).isNotEqualTo(digest);
    deadline = null;
    retry = Map.of("attempts_max", 1);
    assertThat(Submissions.digest(submission())).isNotEqualTo(digest);
  }

  @ParameterizedTest
  @CsvSource({"1, 1000", "2, 2000", "3, 4000", "9, 5000", "100, 5000"})
  void each_further_attempt_waits_twice_as_long_up_to_a_limit(int attempts, long millis) {
    retry = Map.of("backoff_ms", 1_000, "backoff_max_ms", 5_000);
    assertThat(order().retry().after(attempts)).hasMillis(millis);
  }

  @Test
  void only_an_agent_itself_its_tenant_and_operators_have_work_done_on_its_behalf() {
    AgentId other = new AgentId("acme", "other");
    assertThat(may(Caller.agentKey("k", AGENT))).isTrue();
    assertThat(may(Caller.agentTask(AGENT, "t"))).isTrue();
    assertThat(may(Caller.agentKey("k", other))).isFalse();
    assertThat(may(Caller.agentKey("k", new AgentId("evil", "worker")))).isFalse();
    assertThat(may(Caller.tenantSecret("acme", false))).isTrue();
    assertThat(may(Caller.tenantSecret("evil", true))).isFalse();
    assertThat(may(Caller.person("p", Role.OPERATOR, null))).isTrue();
    assertThat(may(Caller.person("p", Role.OPERATOR, "acme"))).isTrue();
    assertThat(may(Caller.person("p", Role.OPERATOR, "evil"))).isFalse();
    assertThat(may(Caller.person("p", Role.values()[0], null)))
        .isEqualTo(Role.values()[0].compareTo(Role.OPERATOR) >= 0);
  }

  private static boolean may(Caller caller) {
    try {
      Submissions.requireRight(caller, AGENT);
      return true;
    } catch (Refused refused) {
      assertThat(refused.problem().code()).isEqualTo(Code.NOT_YOUR_AGENT);
      return false;
    }
  }
}
