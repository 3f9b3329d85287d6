package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Agents that the kernel runs as processes: what they see, and how they are interrupted. */
@Order(4)
class AgentTaskIT {

  /** The low queue gets so little of its own that a frozen task stays so while the test looks. */
  private static final String ONE_SLOT =
      "minimum_runtime_ms: 50\n"
          + "queues: { high: { weight: 1000 }, normal: { weight: 10 }, low: { weight: 1 } }\n";

  /** Makes calls and computes in between; its result depends on all of them. */
  private static final String COUNTER =
      """
      import time
      from aion_sdk.task import Task

      def main(task):
          total = 0
          for i in range(task.params["steps"]):
              said = task.syscall("tool.invoke", {"tool": "echo", "text": str(i)})
              total = (total * 31 + int(said["result"]["text"])) % 1000003
              end = time.process_time() + task.params["burn_s"]
              while time.process_time() < end:
                  pass
          return {"total": total}

      Task.current().run(main)
      """;

  /** Goes on from what it saved; says where each start began. */
  private static final String SAVER =
      """
      import time
      from aion_sdk.task import Task

      task = Task.current()
      done = {"upto": 0, "total": 0}
      task.on_checkpoint(lambda: done, every=5)
      task.on_resume(done.update)

      def main(task):
          print("began at", done["upto"], flush=True)
          for i in range(done["upto"], task.params["steps"]):
              said = task.agent.syscall("tool.invoke", {"tool": "echo", "text": str(i)})
              done["total"] = (done["total"] * 31 + int(said["result"]["text"])) % 1000003
              done["upto"] = i + 1
              if (i + 1) % 5 == 0:
                  task.checkpoint()
              time.sleep(task.params["pause_s"])
          return {"total": done["total"], "began_at": task.params.get("x")}

      task.run(main)
      """;

  private static RunningKernel kernel;
  private static Tasks tasks;

  @BeforeAll
  static void start() throws IOException {
    Doctor.assumeProcessTier();
    kernel = RunningKernel.named("agent-tasks").start();
    tasks = new Tasks(kernel);
    tasks.settings("1", ONE_SLOT);
    tasks.agent("counter", "python main.py", "", Map.of("main.py", COUNTER));
    tasks.agent("saver", "python main.py", "", Map.of("main.py", SAVER));
  }

  @AfterAll
  static void stop() {
    if (kernel != null) {
      kernel.down();
    }
  }

  private static Map<String, Object> steps(int steps, double burnSeconds) {
    return Map.of("params", Map.of("steps", steps, "burn_s", burnSeconds));
  }

  private static Map<String, Object> at(String priority, Map<String, Object> submission) {
    Map<String, Object> with = new java.util.HashMap<>(submission);
    with.put("priority", priority);
    return with;
  }

  /** What a run that nobody disturbs gives. */
  private static String undisturbed(int steps) {
    long total = 0;
    for (int i = 0; i < steps; i++) {
      total = (total * 31 + i) % 1_000_003;
    }
    return Long.toString(total);
  }

  @Test
  void an_agent_sees_its_task_its_code_and_the_kernel_and_no_secret() throws IOException {
    tasks.agent(
        "looker",
        "python look.py",
        "",
        Map.of(
            "look.py",
            """
            import json, os, socket, sys
            from aion_sdk.agent import Agent
            from aion_sdk.task import Task

            def reaches(host, port):
                try:
                    socket.create_connection((host, port), timeout=2).close()
                    return True
                except OSError:
                    return False

            def main(task):
                # As the user's own sample does: a secret that the kernel does not look at.
                plain = Agent(agent_id=os.environ["AION_AGENT_ID"], kernel_url="http://localhost:8010",
                              secret="not the secret", tenant="tenantA")
                said = plain.syscall("tool.invoke", {"tool": "echo", "text": "in"})
                refused = {}
                for other, tenant in (("agent://tenantA/researcher-1", "tenantA"), ("agent://other/a", "other")):
                    try:
                        Agent(other, "http://localhost:8010", "TENANT_A_SECRET", tenant, max_retries=0).syscall(
                            "tool.invoke", {"tool": "echo", "text": "as another"})
                        refused[other] = "admitted"
                    except Exception as error:
                        refused[other] = getattr(error, "code", repr(error))
                forged = "admitted"
                try:
                    plain.syscall("tool.invoke", {"tool": "echo", "text": "x"}, task_id="another-task")
                except Exception as error:
                    forged = error.code
                try:
                    os.fork()
                    forked = True
                except OSError:
                    forked = False
                everything = json.dumps(dict(os.environ)) + open("/proc/self/cmdline").read() + open("/proc/1/environ").read()
                return {"said": said["result"]["text"], "refused": refused, "forged": forged, "forked": forked,
                        "files": sorted(os.listdir("/agent")), "cwd": os.getcwd(), "param": task.params["p"],
                        "outside": reaches("10.0.0.1", 80), "host": reaches("127.0.0.1", int(task.params["port"])),
                        "secret": "SECRET" in everything, "etc": os.path.exists("/etc/shadow")}

            Task.current().run(main)
            """));
    tasks
        .submit(
            "look",
            "agent:looker",
            Map.of("params", Map.of("p", "given", "port", kernel.sshPort())))
        .expect(202);

    JsonNode result = tasks.awaitSuccess("look").json().get("result");

    assertThat(result.at("/said").asText()).isEqualTo("in");
    assertThat(result.at("/param").asText()).isEqualTo("given");
    assertThat(result.at("/cwd").asText()).isEqualTo("/agent");
    assertThat(result.at("/files").toString()).isEqualTo("[\"look.py\"]");
    assertThat(result.get("refused").get("agent://tenantA/researcher-1").asText())
        .isIn("NOT_YOUR_AGENT", "TENANT_MISMATCH");
    assertThat(result.get("refused").get("agent://other/a").asText())
        .isIn("NOT_YOUR_AGENT", "TENANT_MISMATCH");
    assertThat(result.at("/forged").asText()).isNotEqualTo("admitted");
    assertThat(result.at("/forked").asBoolean()).isFalse();
    assertThat(result.at("/outside").asBoolean()).isFalse();
    assertThat(result.at("/host").asBoolean()).isFalse();
    assertThat(result.at("/secret").asBoolean()).isFalse();
    assertThat(result.at("/etc").asBoolean()).isFalse();
  }

  @Test
  void code_that_changed_is_not_run_until_it_is_approved_anew() throws IOException {
    tasks.agent("edited", "python main.py", "", Map.of("main.py", "print('first')"));
    tasks.submit("edited-1", "agent:edited", Map.of()).expect(202);
    assertThat(tasks.awaitSuccess("edited-1").at("/process/stdout")).isEqualTo("first\n");
    Files.writeString(
        kernel.data().resolve("config/agents/tenantA/edited/main.py"), "print('second')");

    tasks.submit("edited-2", "agent:edited", Map.of()).expect(202);

    assertThat(tasks.awaitEnd("edited-2").at("/error/code")).isEqualTo("APPROVAL_REQUIRED");
    tasks.approve("edited");
    tasks.submit("edited-3", "agent:edited", Map.of()).expect(202);
    assertThat(tasks.awaitSuccess("edited-3").at("/process/stdout")).isEqualTo("second\n");
  }

  @Test
  void an_agent_that_crashes_is_tried_again_and_then_a_dead_letter_with_its_last_words()
      throws IOException {
    tasks.agent(
        "crasher",
        "python main.py",
        "",
        Map.of(
            "main.py",
            """
            import os, sys
            from aion_sdk.task import Task
            task = Task.current()
            task.agent.syscall("tool.invoke", {"tool": "echo", "text": "kept"})
            print("attempt", task.attempt)
            sys.exit("no good: attempt %d" % task.attempt)
            """));
    tasks
        .submit(
            "crash", "agent:crasher", Map.of("retry", Map.of("attempts_max", 2, "backoff_ms", 100)))
        .expect(202);

    JsonNode ended = tasks.awaitEnd("crash").json();

    assertThat(ended.at("/state").asText()).isEqualTo("failed");
    assertThat(ended.at("/error/code").asText()).isEqualTo("AGENT_CRASHED");
    assertThat(ended.at("/error/message").asText()).contains("status 1", "no good: attempt 2");
    assertThat(ended.at("/attempt").asInt()).isEqualTo(2);
    assertThat(ended.at("/process/stdout").asText()).isEqualTo("attempt 2\n");
    assertThat(ended.at("/usage/calls").asInt()).isEqualTo(1);
    assertThat(ended.at("/usage/replayed_calls").asInt()).isEqualTo(1);
  }

  @Test
  void the_low_one_makes_room_uses_nothing_while_frozen_and_ends_as_if_nobody_had_come()
      throws IOException {
    tasks.agent(
        "stamper",
        // It starts no other program, which it might not.
        "date +%s%N",
        "",
        Map.of("readme.txt", "The program is the host's own."));
    tasks.submit("low-1", "agent:counter", at("low", steps(60, 0.05))).expect(202);
    Await.until(
        "the low one is at work",
        Tasks.PATIENCE,
        () -> tasks.process("counter", "low-1").get("cpu_ms").asLong() > 100);
    assertNoCpuWhileFrozen("low-1");
    List<Double> latencies = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String high = "high-" + i;
      long before = System.currentTimeMillis();
      tasks.submit(high, "agent:stamper", at("high", Map.of())).expect(202);
      JsonNode ended = tasks.awaitSuccess(high).json();
      long beganNanos = Long.parseLong(ended.at("/process/stdout").asText().strip());
      latencies.add(beganNanos / 1e6 - before);
      tasks.awaitState("low-1", List.of("running", "succeeded"));
      awaitRan("low-1");
    }

    JsonNode low = tasks.awaitSuccess("low-1").json();

    assertThat(low.at("/result/total").asText()).isEqualTo(undisturbed(60));
    assertThat(low.at("/preemptions").asInt()).isPositive();
    assertThat(low.at("/usage/replayed_calls").asInt()).isZero();
    Collections.sort(latencies);
    System.out.printf(
        "preemption: request of the high one -> its first instruction: p50 %.1f ms, p95 %.1f ms,"
            + " max %.1f ms, of %d%n",
        latencies.get(latencies.size() / 2),
        latencies.get((int) Math.ceil(latencies.size() * 0.95) - 1),
        latencies.get(latencies.size() - 1),
        latencies.size());
  }

  private static void assertNoCpuWhileFrozen(String low) {
    tasks.submit("first-high", "agent:counter", at("high", steps(10, 0.2))).expect(202);
    tasks.awaitState(low, List.of("preempted"));
    assertThat(tasks.explain(low).at("/summary")).contains("was preempted by tenantA/first-high");
    // Measured anew every quarter of a second: what was used before it froze is in by then.
    awaitCpuMillis("first-high", 500);
    JsonNode frozen = tasks.process("counter", low);
    awaitCpuMillis("first-high", 1_200);

    JsonNode later = tasks.process("counter", low);

    assertThat(frozen.get("state").asText()).isEqualTo("frozen");
    assertThat(later.get("state").asText()).isEqualTo("frozen");
    assertThat(later.get("cpu_ms").asLong()).isEqualTo(frozen.get("cpu_ms").asLong());
    assertThat(later.get("cpu").asDouble()).isZero();
    assertThat(tasks.awaitSuccess("first-high").at("/result/total")).isEqualTo(undisturbed(10));
    tasks.awaitState(low, List.of("running", "succeeded"));
  }

  private static void awaitCpuMillis(String task, long millis) {
    Await.until(
        task + " has used " + millis + " ms",
        Tasks.PATIENCE,
        () -> tasks.process("counter", task).get("cpu_ms").asLong() >= millis);
  }

  private static void awaitRan(String low) {
    if (tasks.show(low).at("/state").equals("succeeded")) {
      return;
    }
    long before = tasks.process("counter", low).get("cpu_ms").asLong();
    Await.until(
        "the low one goes on",
        Tasks.PATIENCE,
        () ->
            tasks.show(low).at("/state").equals("succeeded")
                || tasks.process("counter", low).get("cpu_ms").asLong() > before + 60);
  }

  @Test
  void after_a_kill_of_the_kernel_both_go_on_and_no_call_is_made_twice() {
    tasks.submit("killed-low", "agent:counter", at("low", steps(30, 0.05))).expect(202);
    Await.until(
        "the low one is at work",
        Tasks.PATIENCE,
        () -> tasks.process("counter", "killed-low").get("cpu_ms").asLong() > 300);
    tasks.submit("killed-high", "agent:counter", at("high", steps(20, 0.05))).expect(202);
    tasks.awaitState("killed-low", List.of("preempted"));
    Await.until(
        "the high one is at work",
        Tasks.PATIENCE,
        () -> tasks.process("counter", "killed-high").get("cpu_ms").asLong() > 200);
    kernel.kill9();
    assertThat(processesOf("main.py")).as("agents end with their kernel").isZero();
    kernel.up();

    JsonNode high = tasks.awaitSuccess("killed-high").json();
    JsonNode low = tasks.awaitSuccess("killed-low").json();

    assertThat(low.at("/result/total").asText()).isEqualTo(undisturbed(30));
    assertThat(high.at("/result/total").asText()).isEqualTo(undisturbed(20));
    assertThat(low.at("/usage/replayed_calls").asInt()).isPositive();
    assertThat(low.at("/usage/calls").asInt()).as("each call was made once").isEqualTo(30);
    assertThat(high.at("/usage/calls").asInt()).isEqualTo(20);
    assertThat(low.at("/attempt").asInt()).as("a crash of the kernel is no attempt").isEqualTo(1);
  }

  private static long processesOf(String argument) {
    return ProcessHandle.allProcesses()
        .filter(
            process ->
                process.info().arguments().map(List::of).orElse(List.of()).contains(argument))
        .count();
  }

  @Test
  void an_agent_that_is_evicted_begins_anew_and_is_told_again_what_it_was_told()
      throws IOException {
    tasks.settings("1", ONE_SLOT + "limits: { frozen_max: 0 }\n");
    try {
      tasks.submit("evicted", "agent:counter", at("low", steps(20, 0.05))).expect(202);
      Await.until(
          "the low one is at work",
          Tasks.PATIENCE,
          () -> tasks.process("counter", "evicted").get("cpu_ms").asLong() > 300);
      tasks.submit("evictor", "agent:counter", at("high", steps(3, 0.1))).expect(202);

      JsonNode low = tasks.awaitSuccess("evicted").json();

      assertThat(low.at("/evictions").asInt()).isPositive();
      assertThat(low.at("/result/total").asText()).isEqualTo(undisturbed(20));
      assertThat(low.at("/usage/replayed_calls").asInt()).isPositive();
      assertThat(low.at("/usage/calls").asInt()).isEqualTo(20);
    } finally {
      tasks.settings("1", ONE_SLOT);
    }
  }

  @Test
  void an_agent_outlives_the_parts_of_the_kernel_that_it_stands_on() throws IOException {
    for (String bundle : List.of("gateway", "router", "scheduler", "sandbox")) {
      String task = "outlives-" + bundle;
      tasks.submit(task, "agent:counter", steps(40, 0.05)).expect(202);
      Await.until(
          "it is at work",
          Tasks.PATIENCE,
          () -> tasks.process("counter", task).get("cpu_ms").asLong() > 300);

      Ssh.admin(kernel, "bundle:update org.aionos." + bundle);

      JsonNode ended = tasks.awaitSuccess(task).json();
      assertThat(ended.at("/result/total").asText()).as(bundle).isEqualTo(undisturbed(40));
      assertThat(ended.at("/usage/calls").asInt()).as(bundle).isEqualTo(40);
      boolean itsProcessStays = bundle.equals("gateway") || bundle.equals("router");
      assertThat(ended.at("/evictions").asInt()).as(bundle).isEqualTo(itsProcessStays ? 0 : 1);
    }
  }

  @Test
  void an_agent_that_saves_its_state_goes_on_from_there() {
    tasks
        .submit("saved", "agent:saver", Map.of("params", Map.of("steps", 40, "pause_s", 0.05)))
        .expect(202);
    Await.until(
        "it has saved itself",
        Tasks.PATIENCE,
        () -> tasks.process("saver", "saved").get("age_ms").asLong() > 1_500);
    kernel.kill9();
    kernel.up();

    JsonNode ended = tasks.awaitSuccess("saved").json();

    assertThat(ended.at("/result/total").asText()).isEqualTo(undisturbed(40));
    assertThat(ended.at("/process/stdout").asText()).matches("began at [1-9]\\d*\n");
    assertThat(ended.at("/usage/replayed_calls").asInt())
        .as("only calls after the checkpoint are made again")
        .isLessThanOrEqualTo(5);
  }

  @Test
  void an_agent_that_does_something_else_than_before_is_found_out() throws IOException {
    tasks.agent(
        "fickle",
        "python main.py",
        "",
        Map.of(
            "main.py",
            """
            import time, os
            from aion_sdk.task import Task

            def main(task):
                for i in range(30):
                    task.syscall("tool.invoke", {"tool": "echo", "text": str(time.time())})
                    time.sleep(0.05)
                return {}

            Task.current().run(main)
            """));
    tasks.submit("fickle", "agent:fickle", Map.of()).expect(202);
    Await.until(
        "it is at work",
        Tasks.PATIENCE,
        () -> tasks.process("fickle", "fickle").get("age_ms").asLong() > 700);
    kernel.kill9();
    kernel.up();

    JsonNode ended = tasks.awaitEnd("fickle").json();

    assertThat(ended.at("/state").asText()).isEqualTo("failed");
    assertThat(ended.at("/error/code").asText()).isEqualTo("REPLAY_DIVERGED");
    assertThat(ended.at("/error/message").asText()).contains("call 0 was tool.invoke");
  }

  @Test
  void a_running_agent_is_cancelled_and_may_say_goodbye() throws IOException {
    tasks.agent(
        "polite",
        "python main.py",
        "",
        Map.of(
            "main.py",
            """
            import signal, sys, time
            def bye(*_):
                print("goodbye", flush=True)
                sys.exit(0)
            signal.signal(signal.SIGTERM, bye)
            print("hello", flush=True)
            while True:
                time.sleep(1)
            """));
    tasks.submit("polite", "agent:polite", Map.of()).expect(202);
    Await.until(
        "it says hello",
        Tasks.PATIENCE,
        () -> tasks.process("polite", "polite").get("age_ms").asLong() > 500);
    kernel
        .call(RunningKernel.RESEARCHER_V2, "POST", "/v1/schedule/tasks/polite/cancel")
        .expect(202);

    JsonNode ended = tasks.awaitEnd("polite").json();

    assertThat(ended.at("/state").asText()).isEqualTo("cancelled");
    Instant began = Instant.parse(ended.at("/started_at").asText());
    assertThat(Duration.between(began, Instant.parse(ended.at("/ended_at").asText())))
        .isLessThan(Duration.ofSeconds(60));
  }

  @Test
  void agents_of_a_tenant_write_to_each_other() throws IOException {
    tasks.settings("2", ONE_SLOT);
    try {
      tasks.agent(
          "asker",
          "python main.py",
          "",
          Map.of(
              "main.py",
              """
              from aion_sdk.task import Task

              def main(task):
                  task.syscall("agent.send", {"to": "answerer", "body": {"question": 20}})
                  got = []
                  while not got:
                      got = task.syscall("agent.recv", {"wait_ms": 5000})["result"]["items"]
                  task.syscall("agent.recv", {"ack": got[-1]["id"]})
                  return {"answer": got[0]["body"]["answer"], "from": got[0]["from"]}

              Task.current().run(main)
              """));
      tasks.agent(
          "answerer",
          "python main.py",
          "",
          Map.of(
              "main.py",
              """
              from aion_sdk.task import Task

              def main(task):
                  got = []
                  while not got:
                      got = task.syscall("agent.recv", {"wait_ms": 5000})["result"]["items"]
                  for item in got:
                      task.syscall("agent.send", {"to": item["from"], "body": {"answer": item["body"]["question"] + 1}})
                  task.syscall("agent.recv", {"ack": got[-1]["id"]})

              Task.current().run(main)
              """));
      tasks.submit("answers", "agent:answerer", Map.of()).expect(202);
      tasks.submit("asks", "agent:asker", Map.of()).expect(202);

      JsonNode asked = tasks.awaitSuccess("asks").json();

      assertThat(asked.at("/result/answer").asInt()).isEqualTo(21);
      assertThat(asked.at("/result/from").asText()).isEqualTo("agent://tenantA/answerer");
      tasks.awaitSuccess("answers");
    } finally {
      tasks.settings("1", ONE_SLOT);
    }
  }
}
