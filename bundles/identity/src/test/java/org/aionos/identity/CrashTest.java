package org.aionos.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Identity.AgentKey;
import org.aionos.kernel.Identity.Secret;
import org.junit.jupiter.api.Test;

final class CrashTest {

  private static final Pattern ACKNOWLEDGED = Pattern.compile("(ak_.{16}) (aks_.{43})");
  private static final int ROUNDS = 3;
  private static final int KEYS_PER_ROUND = 40;

  @Test
  void every_key_that_was_acknowledged_is_there_after_a_kill() throws Exception {
    Path dir = Kernel.newDir();
    try (Kernel kernel = Kernel.startIn(dir, false)) {
      kernel.tenant("acme");
    }
    Map<String, String> acknowledged = new LinkedHashMap<>();

    for (int round = 0; round < ROUNDS; round++) {
      addKeysUntilKilled(dir, acknowledged);

      try (Kernel kernel = Kernel.startIn(dir, false)) {
        assertThat(kernel.identity.keys("acme"))
            .extracting(AgentKey::id)
            .containsAll(acknowledged.keySet());
        acknowledged.forEach(
            (id, secret) ->
                kernel.admits(Request.post("x").signedV2("acme", id, secret, kernel.now())));
      }
    }
    assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(ROUNDS * KEYS_PER_ROUND);
  }

  private static void addKeysUntilKilled(Path dir, Map<String, String> acknowledged)
      throws IOException, InterruptedException {
    Process child =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Child.class.getName(),
                dir.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (BufferedReader lines = child.inputReader()) {
      String line = lines.readLine();
      for (int i = 1; line != null; i++) {
        Matcher key = ACKNOWLEDGED.matcher(line);
        // The kill may cut the last line short; then nobody has seen that key.
        if (key.matches()) {
          acknowledged.put(key.group(1), key.group(2));
        }
        if (i == KEYS_PER_ROUND) {
          child.toHandle().destroyForcibly();
        }
        line = lines.readLine();
      }
    } finally {
      child.destroyForcibly();
      assertThat(child.waitFor(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  /** A kernel that adds keys, and says so, until it is killed. */
  static final class Child {
    public static void main(String[] arguments) {
      Kernel kernel = Kernel.startIn(Path.of(arguments[0]), false);
      for (int i = 0; i < 1_000_000; i++) {
        Secret key = kernel.identity.addKey(new AgentId("acme", "a" + i), null, Kernel.OPERATOR);
        System.out.println(key.id() + " " + key.value());
      }
    }
  }
}
