package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.aionos.tasks.MapTasks;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A log whose store loses questions and answers. */
final class LogKeeperTest {

  private static final Key KEY = new Key("acme", "t1");

  private final MapTasks tasks = new MapTasks();
  private final AtomicInteger lost = new AtomicInteger();

  /** Each look takes a second, so that patience ends. */
  private final AtomicLong seconds = new AtomicLong();

  @BeforeEach
  void claim() {
    tasks.add(new Row(KEY, "ann", Tier.NORMAL, TaskState.QUEUED, 1, 1, null, new byte[0]));
    assertThat(tasks.claim("n1", 1)).hasSize(1);
  }

  private LogKeeper keeper(LossyTasks way) {
    return new LogKeeper(
        way,
        KEY,
        "n1",
        0,
        () -> seconds.incrementAndGet() * 1_000_000_000,
        lost::incrementAndGet,
        1);
  }

  private List<String> log() {
    return tasks.log(KEY).stream().map(entry -> new String(entry, UTF_8)).toList();
  }

  private static byte[] text(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void an_entry_whose_answer_was_lost_is_there_once() {
    LossyTasks way = new LossyTasks(tasks, new SplittableRandom(1));
    LogKeeper keeper = keeper(way);
    keeper.append(text("a"));
    way.loseNextAnswer();

    keeper.append(text("b"));
    keeper.append(text("c"));

    assertThat(log()).containsExactly("a", "b", "c");
  }

  @Test
  void an_entry_that_its_writer_was_told_is_not_there_is_taken_out() {
    LossyTasks way = new LossyTasks(tasks, new SplittableRandom(1));
    LogKeeper keeper = keeper(way);
    keeper.append(text("a"));
    way.cutThroughAfterNextAnswerIsLost();
    Refused refused = catchThrowableOfType(Refused.class, () -> keeper.append(text("not begun")));
    assertThat(refused.problem().code()).isEqualTo(Code.RESTARTING);
    assertThat(log()).containsExactly("a", "not begun");
    way.cutThrough(false);

    keeper.append(text("b"));

    assertThat(log()).containsExactly("a", "b");
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void a_log_has_what_was_acknowledged_in_order_and_nothing_besides(long seed) {
    RandomGenerator random = new SplittableRandom(seed);
    LossyTasks way = new LossyTasks(tasks, random);
    way.lose(40);
    LogKeeper keeper = keeper(way);
    List<String> acknowledged = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      try {
        keeper.append(text("entry " + i));
        acknowledged.add("entry " + i);
      } catch (Refused refused) {
        assertThat(refused.problem().code()).isEqualTo(Code.RESTARTING);
      }
    }
    way.lose(0);
    keeper.append(text("last"));
    acknowledged.add("last");

    assertThat(log()).isEqualTo(acknowledged);
  }

  @Test
  void a_log_of_a_task_that_is_another_nodes_is_left_alone_and_that_is_told() {
    LogKeeper keeper = keeper(new LossyTasks(tasks, new SplittableRandom(1)));
    Row mine = tasks.find(KEY).orElseThrow();
    tasks.replace(
        new Row(
            KEY, "ann", Tier.NORMAL, TaskState.RUNNING, 1, mine.revision() + 1, "n2", new byte[0]));

    Refused refused = catchThrowableOfType(Refused.class, () -> keeper.append(text("late")));

    assertThat(refused.problem().code()).isEqualTo(Code.CONFLICT);
    assertThat(lost.get()).isEqualTo(1);
    assertThat(log()).isEmpty();
  }
}
