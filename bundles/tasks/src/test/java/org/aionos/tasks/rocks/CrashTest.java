package org.aionos.tasks.rocks;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.List;
import org.aionos.kernel.task.TaskState;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.TaskStore.Key;
import org.aionos.kernel.task.TaskStore.Message;
import org.aionos.kernel.task.TaskStore.Row;
import org.aionos.kernel.task.Tier;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.io.TempDir;

/** What was acknowledged is there after the process was killed in the middle of its work. */
final class CrashTest {

  private static final int TASKS = 4;

  @TempDir private Path folder;

  @RepeatedTest(3)
  void every_acknowledged_entry_survives_a_kill(RepetitionInfo round) throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    int acknowledged = lastOf(child, 700 * round.getCurrentRepetition());
    child.destroyForcibly().waitFor();

    RocksLibrary.load(folder.resolve("library"), "parent");
    try (TaskStore store = RocksTasks.open(folder.resolve("tasks"), false, System::nanoTime)) {
      int entries = 0;
      for (int task = 0; task < TASKS; task++) {
        List<byte[]> log = store.log(key(task));
        for (int i = 0; i < log.size(); i++) {
          assertThat(new String(log.get(i), UTF_8)).isEqualTo("entry " + (i * TASKS + task));
        }
        entries += log.size();
        assertThat(store.find(key(task)).orElseThrow().state()).isEqualTo(TaskState.RUNNING);
      }
      assertThat(entries).isGreaterThan(acknowledged);
      List<Message> mail = store.mail("box", Integer.MAX_VALUE);
      assertThat(mail).hasSizeGreaterThan(acknowledged);
      assertThat(store.post("box", new byte[1], Integer.MAX_VALUE))
          .isGreaterThan(mail.get(mail.size() - 1).number());
      assertThat(store.claim("after", TASKS)).hasSize(TASKS);
    }
  }

  private static int lastOf(Process child, int count) throws Exception {
    BufferedReader lines = new BufferedReader(new InputStreamReader(child.getInputStream(), UTF_8));
    int last = -1;
    while (last < count) {
      String line = lines.readLine();
      assertThat(line).as("the child goes on until it is killed").isNotNull();
      last = Integer.parseInt(line);
    }
    return last;
  }

  private static Key key(int task) {
    return new Key("acme", "t" + task);
  }

  /** Appends and posts as fast as it can, and says so line by line. */
  static final class Child {

    public static void main(String[] folder) throws Exception {
      RocksLibrary.load(Path.of(folder[0], "library"), "child");
      TaskStore store = RocksTasks.open(Path.of(folder[0], "tasks"), false, System::nanoTime);
      for (int task = 0; task < TASKS; task++) {
        store.add(
            new Row(key(task), "ann", Tier.LOW, TaskState.QUEUED, task, 1, null, new byte[9]));
      }
      for (Row row : store.claim("child", TASKS)) {
        store.replace(
            new Row(
                row.key(), "ann", row.tier(), TaskState.RUNNING, 1, 3, "child", row.document()));
      }
      for (int i = 0; true; i++) {
        store.append(key(i % TASKS), "child", ("entry " + i).getBytes(UTF_8));
        store.post("box", ("message " + i).getBytes(UTF_8), Integer.MAX_VALUE);
        System.out.println(i);
        System.out.flush();
      }
    }
  }
}
