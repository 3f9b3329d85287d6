package org.aionos.process;

import static org.aionos.process.Tables.OPERATOR;
import static org.aionos.process.Tables.TENANT;
import static org.aionos.process.Tables.asks;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.AgentProcess.State;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.io.TempDir;

/** What was acknowledged is there after the process was killed in the middle of its work. */
final class CrashTest {

  private static final String READY = "ack ";

  @TempDir private Path folder;

  @RepeatedTest(3)
  void what_was_acknowledged_survives_a_kill(RepetitionInfo round) throws Exception {
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
    List<String> acknowledged = readSome(child, 40 * round.getCurrentRepetition());
    child.destroyForcibly().waitFor();

    StoredProcessTable table = Tables.open(folder, new FakeJournal(), new FakeClock());
    try {
      for (String agent : acknowledged) {
        AgentProcess row = table.find(AgentId.parse(agent)).orElseThrow();
        assertThat(row.state()).isEqualTo(State.STOPPED);
        assertThat(row.pending().widening()).containsExactly("capability gpu");
      }
    } finally {
      table.close();
    }
  }

  private static List<String> readSome(Process child, int count) throws Exception {
    List<String> acknowledged = new ArrayList<>();
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
    while (acknowledged.size() < count) {
      String line = lines.readLine();
      assertThat(line).as("the child goes on until it is killed").isNotNull();
      acknowledged.add(line.substring(READY.length()));
    }
    return acknowledged;
  }

  /** Registers, widens and stops agents as fast as it can, and says so line by line. */
  static final class Child {

    public static void main(String[] folder) {
      StoredProcessTable table =
          new StoredProcessTable(
              Tables.LEASE,
              1_000_000,
              Path.of(folder[0]),
              new FakeJournal(),
              new FakeMeters(),
              new FakeClock(),
              System::nanoTime);
      for (int i = 0; true; i++) {
        AgentId agent = new AgentId("tenantA", "a" + i);
        table.register(asks(agent), TENANT);
        table.register(asks(agent, "gpu"), TENANT);
        table.setStopped(agent, true, OPERATOR);
        System.out.println(READY + agent);
        System.out.flush();
      }
    }
  }
}
