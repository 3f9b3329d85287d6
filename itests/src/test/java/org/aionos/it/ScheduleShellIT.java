package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** What an operator sees and does of tasks and of agents' processes, at the shell. */
@Order(5)
class ScheduleShellIT {

  /** Reads what is not there: a dead letter. */
  private static final Map<String, Object> DEAD =
      Map.of("params", Map.of("type", "short", "key", "never-put"));

  private static RunningKernel kernel;
  private static Tasks tasks;

  @BeforeAll
  static void start() {
    kernel = SharedKernel.get();
    tasks = new Tasks(kernel);
  }

  private static String run(String command) throws IOException {
    return Ssh.run(kernel, command);
  }

  private static JsonNode json(String output) throws IOException {
    return RunningKernel.JSON.readTree(output);
  }

  @Test
  void a_task_that_is_submitted_at_the_shell_is_carried_out_and_shown() throws IOException {
    String submitted =
        run(
            "aion:task-submit --task shell-1 --priority high --params"
                + " '{\"tool\": \"echo\", \"text\": \"from the shell\"}' "
                + RESEARCHER
                + " syscall:tool.invoke");
    assertThat(submitted).contains("tenantA/shell-1 is queued");

    tasks.awaitSuccess("shell-1");

    JsonNode shown = json(run("aion:task-show tenantA/shell-1"));
    assertThat(shown.at("/result/text").asText()).isEqualTo("from the shell");
    assertThat(shown.at("/queue").asText()).isEqualTo("high");
    assertThat(shown.at("/submitted_by").asText()).isEqualTo("shell:operator");
  }

  @Test
  void the_script_hands_over_every_character_of_the_params() throws IOException {
    String text = "it's $HOME {x} [y] <|> \"q\" \\n چه ! # ; % `z`";
    String params =
        RunningKernel.JSON
            .writerWithDefaultPrettyPrinter()
            .writeValueAsString(Map.of("tool", "echo", "text", text));
    assertThat(params).as("what a person writes").contains("\n");
    aion(
        "task",
        "submit",
        "--task",
        "script-1",
        "--params",
        params,
        RESEARCHER,
        "syscall:tool.invoke");

    assertThat(tasks.awaitSuccess("script-1").at("/result/text")).isEqualTo(text);
    assertThat(json(aion("task", "show", "tenantA/script-1")).at("/result/text").asText())
        .isEqualTo(text);
  }

  private static String aion(String... arguments) {
    List<String> command = new ArrayList<>(List.of("./aion"));
    command.addAll(List.of(arguments));
    return Shell.run(RunningKernel.ROOT, kernel.environment(), Duration.ofSeconds(90), command)
        .expectSuccess()
        .output();
  }

  @Test
  void tasks_are_listed_by_what_they_are_and_page_by_page() throws IOException {
    tasks.submit("listed-dead", "syscall:memory.get", DEAD).expect(202);
    tasks
        .submit(
            "listed-low",
            "syscall:tool.invoke",
            Map.of("priority", "low", "params", Map.of("tool", "echo", "text", "x")))
        .expect(202);
    tasks.awaitEnd("listed-dead");
    tasks.awaitSuccess("listed-low");

    assertThat(list("--state failed --agent " + RESEARCHER))
        .anyMatch(line -> line.matches("tenantA/listed-dead .*syscall:memory.get.*failed.*1/3.*"))
        .noneMatch(line -> line.startsWith("tenantA/listed-low"));
    assertThat(list("--queue low --tenant tenantA"))
        .anyMatch(line -> line.startsWith("tenantA/listed-low"))
        .noneMatch(line -> line.startsWith("tenantA/listed-dead"));
    List<String> first = list("--limit 1");
    assertThat(first).hasSize(2).last().asString().startsWith("more: --after ");
    String after = first.get(1).substring("more: ".length());
    assertThat(list("--limit 1 " + after).get(0)).isNotEqualTo(first.get(0));
    assertThat(run("aion:tasks --state dead")).contains("--state is one of");
  }

  private static List<String> list(String options) throws IOException {
    return run("aion:tasks --no-format " + options)
        .lines()
        .filter(line -> !line.isBlank())
        .map(line -> line.replace('\t', ' '))
        .toList();
  }

  @Test
  void a_dead_letter_is_explained_replayed_and_left_alone_by_a_cancel() throws IOException {
    tasks.submit("dead-shell", "syscall:memory.get", DEAD).expect(202);
    tasks.awaitEnd("dead-shell");

    assertThat(run("aion:task-explain tenantA/dead-shell"))
        .contains("tenantA/dead-shell failed: NOT_FOUND", "submitted", "by tenant-secret");
    assertThat(json(run("aion:task-explain --json tenantA/dead-shell")).at("/state").asText())
        .isEqualTo("failed");
    assertThat(run("aion:task-cancel tenantA/dead-shell")).contains("is failed");
    assertThat(run("aion:task-replay tenantA/dead-shell")).contains("is queued");
    tasks.awaitEnd("dead-shell");
    assertThat(run("aion:task-explain tenantA/dead-shell"))
        .contains("replayed", "by shell:operator");
  }

  @Test
  void a_task_that_waits_says_for_what_and_is_cancelled() throws IOException {
    Doctor.assumeProcessTier();
    tasks.agent("faller", "python main.py", "", Map.of("main.py", "import sys\nsys.exit(3)\n"));
    Map<String, Object> retry =
        Map.of("attempts_max", 2, "backoff_ms", 600_000, "backoff_max_ms", 600_000);
    tasks.submit("falls", "agent:faller", Map.of("retry", retry)).expect(202);
    Await.until(
        "it is to be tried again",
        Tasks.PATIENCE,
        () -> tasks.explain("falls").text().contains("retry_at"));

    assertThat(list("--state queued --agent agent://tenantA/faller"))
        .anyMatch(line -> line.matches("tenantA/falls .*1/2.*waits: not before 20.*"));
    assertThat(run("aion:task-explain tenantA/falls"))
        .contains("WAITS FOR", "not before", "AGENT_CRASHED", "status 3");
    assertThat(run("aion:task-cancel --now tenantA/falls")).contains("is cancelled");
    assertThat(tasks.show("falls").at("/state")).isEqualTo("cancelled");
  }

  @Test
  void the_queues_say_what_waits_who_had_what_and_which_settings_are_in_force() throws IOException {
    tasks.submit("queue-shell", "syscall:memory.get", DEAD).expect(202);
    tasks.awaitEnd("queue-shell");

    assertThat(run("aion:queue"))
        .contains("slots", "preemptions", "SLOT SECONDS", "tenantA", "researcher-1")
        .containsPattern("settings +[0-9a-f]{8}")
        .doesNotContain("NOT in force");
    assertThat(run("aion:queue --no-format --tenant nobody")).doesNotContain("tenantA");
  }

  @Test
  void what_is_wrong_with_a_submission_is_said_and_nothing_is_done() throws IOException {
    String tail = " " + RESEARCHER + " syscall:tool.list";

    assertThat(run("aion:task-submit --params '{'" + tail)).contains("--params is a JSON object");
    assertThat(run("aion:task-submit --priority 10" + tail)).contains("0 to 9");
    assertThat(run("aion:task-submit --deadline soon" + tail)).contains("--deadline is a time");
    assertThat(run("aion:task-submit " + RESEARCHER + " workflow"))
        .contains("/params/steps: MISSING_FIELD");
    assertThat(run("aion:task-submit agent://tenantA/nobody syscall:tool.list"))
        .contains("UNKNOWN_AGENT");
    assertThat(run("aion:task-show tenantA/no-such")).contains("there is no task");
    assertThat(run("aion:task-show no-tenant")).contains("does not name a task");
  }

  @Test
  void an_agent_is_approved_started_seen_killed_and_stopped() throws IOException {
    Doctor.assumeProcessTier();
    tasks.agent(
        "sleeper",
        "python main.py",
        "",
        Map.of("main.py", "import time\nwhile True:\n    time.sleep(1)\n"));
    String sleeper = "agent://tenantA/sleeper";

    assertThat(run("aion:agent-approve-entry " + sleeper + " " + "0".repeat(64)))
        .contains("CONFLICT");
    assertThat(run("aion:agent-start --task sleeps --params '{\"a\": 1}' " + sleeper))
        .contains("tenantA/sleeps is queued");
    tasks.awaitState("sleeps", List.of("running"));
    Await.until(
        "its process is seen",
        Tasks.PATIENCE,
        () -> run("aion:agents --no-format").matches("(?s).*tenantA/sleeper\\s+\\S+\\s+1\\s.*"));
    assertThat(run("aion:agent-kill " + sleeper)).contains("tenantA/sleeps is killed");
    assertThat(tasks.awaitEnd("sleeps").at("/state")).isEqualTo("cancelled");
    assertThat(run("aion:agent-kill " + sleeper)).contains("Nothing of " + sleeper + " runs");

    assertThat(run("aion:agent-start --task sleeps-2 " + sleeper)).contains("is queued");
    tasks.awaitState("sleeps-2", List.of("running"));
    assertThat(run("aion:agent-stop " + sleeper)).contains("is stopped");
    assertThat(tasks.awaitEnd("sleeps-2").at("/error/code")).isEqualTo("AGENT_STOPPED");
    run("aion:agent-resume " + sleeper);
  }

  @Test
  void whoever_approves_a_program_sees_what_it_is() throws IOException {
    Doctor.assumeProcessTier();
    tasks.agent("seen", "python main.py --slowly", "", Map.of("main.py", "print('x')"));
    tasks.submit("seen-1", "agent:seen", Map.of()).expect(202);
    tasks.awaitSuccess("seen-1");
    java.nio.file.Files.writeString(
        kernel.data().resolve("config/agents/tenantA/seen/main.py"), "print('changed')");
    tasks.submit("seen-2", "agent:seen", Map.of()).expect(202);
    String rule = tasks.awaitEnd("seen-2").at("/error/rule");
    String digest = rule.substring("entry:".length());
    assertThat(run("aion:task-explain tenantA/seen-2"))
        .contains("aion:agent-approve-entry agent://tenantA/seen " + digest);

    String approved = aion("agent", "approve", "agent://tenantA/seen", digest);

    assertThat(approved)
        .contains("python main.py --slowly", "config/agents/tenantA/seen/", "256Mi", digest);
    tasks.submit("seen-3", "agent:seen", Map.of()).expect(202);
    assertThat(tasks.awaitSuccess("seen-3").at("/process/stdout")).isEqualTo("changed\n");
  }

  @Test
  void what_an_agent_cries_when_it_dies_does_not_move_the_cursor() throws IOException {
    Doctor.assumeProcessTier();
    tasks.agent(
        "crier",
        "python main.py",
        "",
        Map.of("main.py", "import sys\nsys.exit('\\x1b]0;owned\\x07\\x9b2J')\n"));
    tasks.submit("cries", "agent:crier", Map.of("retry", Map.of("attempts_max", 1))).expect(202);
    assertThat(tasks.awaitEnd("cries").at("/error/message")).contains("\u001b]0;owned");

    for (String command :
        List.of(
            "aion:tasks --no-format --agent agent://tenantA/crier",
            "aion:task-explain tenantA/cries",
            "aion:task-show tenantA/cries")) {
      assertThat(run(command))
          .as(command)
          .contains("owned")
          .doesNotContain("\u001b", "\u0007", "\u009b");
    }
  }
}
