package org.aionos.bench;

import java.io.IOException;
import java.nio.channels.Selector;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.aionos.bench.Requests.Signature;

/**
 * Starts a server by a command and measures how long it is until the first good answer to a signed
 * call of the echo tool.
 */
public final class Boot {

  private static final Duration LOOK = Duration.ofMillis(10);
  private static final Duration BOOT_MAX = Duration.ofSeconds(120);

  private Boot() {}

  /** Takes: port, file for the command's output, the command. Prints milliseconds. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Target kernel = Target.governed(Integer.parseInt(args[0]), ProcessHandle.current().pid());
    List<String> command = List.of(args).subList(2, args.length);
    Requests requests = new Requests(Signature.V1, 1_000);
    long begun = System.nanoTime();
    Process starting =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(Path.of(args[1]).toFile())
            .start();
    while (!answers(kernel, requests)) {
      if (System.nanoTime() - begun > BOOT_MAX.toNanos()) {
        starting.destroy();
        throw new IOException("no good answer within " + BOOT_MAX);
      }
      Thread.sleep(LOOK.toMillis());
    }
    System.out.println((System.nanoTime() - begun) / 1_000_000);
    starting.waitFor();
  }

  private static boolean answers(Target kernel, Requests requests) {
    try (Selector selector = Selector.open();
        Connection connection = new Connection(kernel, selector)) {
      connection.send(requests.next());
      while (!connection.receive()) {
        if (selector.select(5_000) == 0) {
          return false;
        }
        selector.selectedKeys().clear();
      }
      return connection.isGood();
    } catch (IOException notYet) {
      return false;
    }
  }
}
