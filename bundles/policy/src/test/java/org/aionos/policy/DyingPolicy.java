package org.aionos.policy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.kernel.policy.PolicyVersions.Activation;
import org.aionos.kernel.policy.PolicyVersions.Revoking;

/** A process that dies before a given file operation, without a word. For {@link CrashTest}. */
final class DyingPolicy {

  static final int DEAD = 77;

  private DyingPolicy() {}

  /** Folder, what to do, and before which operation to die. */
  public static void main(String[] arguments) throws Exception {
    Path folder = Path.of(arguments[0]);
    int dies = Integer.parseInt(arguments[2]);
    AtomicInteger operations = new AtomicInteger(Integer.MIN_VALUE);
    Disk disk =
        new Disk(
            step -> {
              if (operations.incrementAndGet() == dies) {
                Runtime.getRuntime().halt(DEAD);
              }
            });
    VersionedPolicy policy =
        Opened.policy(
            folder.resolve("policies"),
            folder.resolve("state"),
            Duration.ofHours(1),
            disk,
            new EventList(),
            new CountedMeters(),
            new Opened.Away(),
            System::nanoTime);
    operations.set(0);
    switch (arguments[1]) {
      case "activate" -> policy.activate("narrow-1", Activation.FOR_ALL, Opened.OPERATOR);
      case "rollback" -> policy.rollback("former-1", "", Opened.OPERATOR);
      case "file" -> {
        Files.writeString(
            folder.resolve("policies").resolve(VersionedPolicy.FILE_NAME),
            PolicyVersionsTest.WIDE + "# edited\n");
        policy.reload();
      }
      case "revoke" ->
          policy.revoke(new Revoking("acme", null, "gpu", null, null, "why"), Opened.OPERATOR);
      default -> throw new IllegalArgumentException(arguments[1]);
    }
    policy.close();
  }
}
