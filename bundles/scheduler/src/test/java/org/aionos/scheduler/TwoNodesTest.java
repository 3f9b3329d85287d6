package org.aionos.scheduler;

import static org.aionos.scheduler.FakeKernel.AGENT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import org.aionos.kernel.Code;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.task.Scheduler;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.MapTasks;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two schedulers with one store, and a network between them that loses things. */
final class TwoNodesTest {

  private static final String FOUR_SLOTS = "slots: 4\nlimits: { tenant_queued_max: 100 }\n";
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(60);

  /** So their time goes twice as fast as ours: a node still renews in time on a busy machine. */
  private static final long STEP_MILLIS = 4;

  @TempDir Path folder;
  private final AtomicLong millis = new AtomicLong(1_893_456_000_000L);
  private final TaskStore tasks = new MapTasks(() -> millis.get() * 1_000_000);
  private final List<FakeKernel> kernels = new ArrayList<>();

  /** How often each call was carried out, by what it asks for. */
  private final Map<String, AtomicInteger> carriedOut = new ConcurrentHashMap<>();

  @AfterEach
  void stop() throws Exception {
    for (FakeKernel kernel : kernels) {
      kernel.close();
    }
  }

  private FakeKernel node(String name, TaskStore store, FakeKernel.Effect effect)
      throws IOException {
    FakeKernel kernel = new FakeKernel(name, store, millis, FOUR_SLOTS, effect, folder);
    kernels.add(kernel);
    return kernel;
  }

  private void count(Syscall syscall) {
    carriedOut
        .computeIfAbsent(String.valueOf(syscall.params().get("key")), key -> new AtomicInteger())
        .incrementAndGet();
  }

  private void until(String what, BooleanSupplier reached) {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (!reached.getAsBoolean()) {
      assertThat(System.nanoTime() - end).as("time for: " + what).isNegative();
      millis.addAndGet(STEP_MILLIS);
      LockSupport.parkNanos(2_000_000);
    }
  }

  private Work work(String id) {
    return tasks.find(new Key("acme", id)).map(Work::of).orElseThrow();
  }

  private boolean isEnded(String id) {
    return work(id).state().isEnded();
  }

  /** Three calls, each of which names its task and its step. */
  private static Map<String, @Nullable Object> steps(String syscall, String id) {
    List<Map<String, @Nullable Object>> steps = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Map<String, @Nullable Object> step = new LinkedHashMap<>();
      step.put("id", "s" + i);
      step.put("syscall", syscall);
      step.put("params", Map.of("key", id + "/" + i));
      steps.add(step);
    }
    return Map.of("steps", steps);
  }

  // --- a node is lost
  // -----------------------------------------------------------------------------

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void what_a_node_leaves_that_is_cut_off_the_other_finishes_and_nothing_is_done_twice(long seed)
      throws Exception {
    RandomGenerator random = new SplittableRandom(seed);
    LossyTasks first = new LossyTasks(tasks, new SplittableRandom(random.nextLong()));
    LossyTasks second = new LossyTasks(tasks, new SplittableRandom(random.nextLong()));
    FakeKernel.Effect effect =
        syscall -> {
          count(syscall);
          LockSupport.parkNanos(3_000_000);
        };
    FakeKernel one = node("one", first, effect);
    FakeKernel two = node("two", second, effect);
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String id = (i % 2 == 0 ? "repeatable" : "once") + i;
      ids.add(id);
      one.submit(id, "workflow", steps(i % 2 == 0 ? "memory.put" : "tool.invoke", id));
    }
    first.lose(5);
    second.lose(5);
    int before = random.nextInt(5, 60);
    until(before + " calls were made", () -> carriedOut.size() >= before);
    first.cutThrough(true);

    until("all have ended", () -> ids.stream().allMatch(this::isEnded));
    second.lose(0);
    first.lose(0);
    first.cutThrough(false);

    for (String id : ids) {
      Work work = work(id);
      boolean once = id.startsWith("once");
      if (work.state() != TaskState.SUCCEEDED) {
        assertThat(once).as(id + " " + work.progress().end).isTrue();
        assertThat(work.progress().end)
            .extracting(end -> end.get("code"))
            .isIn(Code.OUTCOME_UNKNOWN.name(), Code.JOURNAL_UNAVAILABLE.name());
      }
      assertThat(ends(one, id) + ends(two, id)).as("ends of " + id).isLessThanOrEqualTo(1);
      for (int step = 0; step < 3; step++) {
        AtomicInteger times = carriedOut.getOrDefault(id + "/" + step, new AtomicInteger());
        if (once) {
          assertThat(times.get()).as(id + "/" + step).isLessThanOrEqualTo(1);
        } else {
          assertThat(times.get()).as(id + "/" + step).isPositive();
        }
      }
    }
  }

  private static long ends(FakeKernel kernel, String id) {
    return kernel.kinds(id).stream()
        .filter(List.of("task.succeeded", "task.failed", "task.cancelled")::contains)
        .count();
  }

  @Test
  void a_node_that_cannot_say_that_it_lives_stops_its_calls_before_others_may_claim_them()
      throws Exception {
    LossyTasks way = new LossyTasks(tasks, new SplittableRandom(1));
    CountDownLatch never = new CountDownLatch(1);
    FakeKernel one =
        node(
            "one",
            way,
            syscall -> {
              count(syscall);
              never.await();
            });
    one.submit("long", "syscall:memory.put", Map.of("key", "long"));
    until("its call is in flight", () -> carriedOut.containsKey("long"));
    way.cutThrough(true);
    long cutAtMillis = millis.get();

    until("its call is broken off", () -> one.callsCancelled.get() > 0);

    assertThat(millis.get() - cutAtMillis).isLessThanOrEqualTo(tasks.claimMillis());
    assertThat(tasks.holder(new Key("acme", "long")).orElseThrow().lives()).isTrue();
    way.cutThrough(false);
    until(
        "it takes its task again, by another name",
        () -> work("long").state() == TaskState.RUNNING && !"one".equals(work("long").node()));
    never.countDown();
    until("it ends", () -> isEnded("long"));
    assertThat(work("long").state()).isEqualTo(TaskState.SUCCEEDED);
  }

  @Test
  void what_a_node_holds_is_free_at_once_when_it_stops_in_order() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    FakeKernel one =
        node(
            "one",
            tasks,
            syscall -> {
              count(syscall);
              go.await();
            });
    for (int i = 0; i < 10; i++) {
      one.submit("t" + i, "workflow", steps("memory.put", "t" + i));
    }
    until("four run", () -> carriedOut.size() == 4);
    go.countDown();
    kernels.remove(one);
    one.close();

    long stoppedAtMillis = millis.get();
    node("two", tasks, this::count);
    until("all have ended", () -> allEnded(10));

    assertThat(millis.get() - stoppedAtMillis).isLessThan(tasks.claimMillis());
    assertThat(carriedOut.values()).allMatch(times -> times.get() == 1);
  }

  private boolean allEnded(int count) {
    for (int i = 0; i < count; i++) {
      if (!isEnded("t" + i)) {
        return false;
      }
    }
    return true;
  }

  @Test
  void a_claim_whose_answer_is_lost_loses_no_task() throws Exception {
    LossyTasks way = new LossyTasks(tasks, new SplittableRandom(1));
    for (int i = 0; i < 3; i++) {
      Key key = new Key("acme", "t" + i);
      Scheduler.Submission asked =
          new Scheduler.Submission(
              key.id(),
              AGENT,
              "syscall:memory.put",
              5,
              Map.of(),
              Map.of(),
              Map.of("key", key.id()),
              null);
      Order order =
          Submissions.order(
              asked,
              FakeKernel.ANN,
              SchedulerSettings.read("{}".getBytes(java.nio.charset.StandardCharsets.UTF_8)),
              "test",
              millis.get());
      tasks.add(Work.submitted(key, AGENT, order).row());
    }
    way.loseNextAnswer();

    node("one", way, this::count);

    until("all have ended", () -> allEnded(3));
    assertThat(carriedOut.values()).allMatch(times -> times.get() == 1);
  }

  // --- together
  // -----------------------------------------------------------------------------------

  @Test
  void a_node_takes_what_it_can_run_soon_and_leaves_the_rest_to_others() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    FakeKernel one = node("one", tasks, syscall -> go.await());
    for (int i = 0; i < 60; i++) {
      one.submit("t" + i, "syscall:memory.put", Map.of("key", "t" + i));
    }
    until("it has taken some", () -> held("one") >= 8);
    millis.addAndGet(2_000);
    LockSupport.parkNanos(600_000_000);

    assertThat(held("one")).isLessThanOrEqualTo(4 + 4);
    assertThat(tasks.waiting().get(Tier.NORMAL)).isEqualTo(56);
    go.countDown();
    until("all have ended", () -> allEnded(60));
  }

  private long held(String node) {
    return tasks.list(new TaskStore.Filter(null, null, null, null), null, 1_000).rows().stream()
        .filter(row -> node.equals(row.node()))
        .count();
  }

  @Test
  void what_another_node_runs_and_what_waits_there_can_be_cancelled_and_is_explained()
      throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    FakeKernel one = node("one", tasks, syscall -> never.await());
    for (int i = 0; i < 6; i++) {
      one.submit("t" + i, "syscall:memory.put", Map.of("key", "t" + i));
    }
    until("four run", () -> running() == 4 && held("one") == 6);
    FakeKernel two = node("two", tasks, this::count);
    millis.addAndGet(100);
    Key runs = key(TaskState.RUNNING);
    Key waits = key(TaskState.QUEUED);

    assertThat(two.scheduler.explain(runs).summary()).contains("runs on the node one", "since 20");
    assertThat(two.scheduler.explain(waits).summary()).contains("waits on the node one");
    assertThat(one.scheduler.explain(runs).summary()).isEqualTo("runs");
    assertThat(two.scheduler.cancel(waits, false, "bob").state()).isEqualTo(TaskState.CANCELLED);
    two.scheduler.cancel(runs, false, "bob");
    until("its node ends it", () -> isEnded(runs.id()));

    assertThat(work(runs.id()).state()).isEqualTo(TaskState.CANCELLED);
    assertThat(one.callsCancelled.get()).isEqualTo(1);
    assertThat(two.scheduler.explain(runs).summary()).contains("by bob");
    never.countDown();
  }

  private long running() {
    return tasks
        .list(new TaskStore.Filter(null, null, TaskState.RUNNING, null), null, 1_000)
        .rows()
        .size();
  }

  private Key key(TaskState state) {
    return tasks.list(new TaskStore.Filter(null, null, state, null), null, 1).rows().get(0).key();
  }

  @Test
  void as_many_tasks_as_a_tenant_may_have_are_counted_over_all_nodes() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    FakeKernel one = node("one", tasks, syscall -> never.await());
    FakeKernel two = node("two", tasks, syscall -> never.await());
    for (int i = 0; i < 100; i++) {
      (i % 2 == 0 ? one : two).submit("t" + i, "syscall:memory.put", Map.of("key", "t" + i));
    }

    assertThat(refusal(one)).isEqualTo(Code.QUEUE_FULL);
    assertThat(refusal(two)).isEqualTo(Code.QUEUE_FULL);
    never.countDown();
  }

  private static @Nullable Code refusal(FakeKernel kernel) {
    try {
      kernel.submit("one-more", "syscall:memory.put", Map.of("key", "more"));
      return null;
    } catch (org.aionos.kernel.Refused refused) {
      return refused.problem().code();
    }
  }
}
