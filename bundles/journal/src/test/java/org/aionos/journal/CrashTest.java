package org.aionos.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.JournalReader.Verification;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A kernel that is killed loses nothing that it acknowledged. */
@Timeout(120)
final class CrashTest {

  private static final int KILLS = 5;
  private static final int ACKNOWLEDGED_MIN = 300;

  @TempDir Path folder;

  @Test
  void what_was_acknowledged_before_kill_9_is_there_after_it() throws Exception {
    Set<String> acknowledged = new LinkedHashSet<>();
    for (int kill = 0; kill < KILLS; kill++) {
      acknowledged.addAll(runAndKill());

      try (JournalStore store = Fixture.open(folder, Child.SETTINGS, new LocalDisk())) {
        for (String id : acknowledged) {
          assertThat(store.find(id)).as(id).isPresent();
        }
        Verification result = store.verify();
        assertThat(result.fault()).isEmpty();
        assertThat(result.entries()).isGreaterThanOrEqualTo(acknowledged.size());
      }
    }
    assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(KILLS * ACKNOWLEDGED_MIN);
  }

  private List<String> runAndKill() throws Exception {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    List<String> acknowledged = new ArrayList<>();
    try (BufferedReader lines = new BufferedReader(new InputStreamReader(child.getInputStream()))) {
      String line = lines.readLine();
      while (line != null) {
        if (line.length() == AuditId.LENGTH) {
          acknowledged.add(line);
        }
        if (acknowledged.size() == ACKNOWLEDGED_MIN) {
          // Not through the process itself, which would close the stream that is read here.
          child.toHandle().destroyForcibly();
        }
        line = lines.readLine();
      }
    }
    assertThat(child.waitFor()).as("exit code of a killed process").isEqualTo(128 + 9);
    return acknowledged;
  }

  /** Writes until it is killed, and says what it has written. */
  static final class Child {

    static final Settings SETTINGS = Fixture.settings(Sync.PROCESS, 256 << 10);

    private Child() {}

    public static void main(String[] args) throws IOException {
      JournalStore store = Fixture.open(Path.of(args[0]), SETTINGS, new LocalDisk());
      for (int thread = 0; thread < 3; thread++) {
        new Thread(() -> writeForEver(store)).start();
      }
    }

    private static void writeForEver(JournalStore store) {
      while (true) {
        long sequence =
            store.append(Draft.asked(Fixture.syscall("tool.invoke", Map.of("tool", "echo"))));
        byte[] line = (AuditId.ofCall(sequence) + "\n").getBytes();
        synchronized (System.out) {
          System.out.write(line, 0, line.length);
          System.out.flush();
        }
      }
    }
  }
}
