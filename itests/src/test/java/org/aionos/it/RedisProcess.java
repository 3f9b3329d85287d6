package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** A real Redis server of a test's own, which keeps what it acknowledged through a kill. */
final class RedisProcess implements AutoCloseable {

  private final Path folder;
  private final int port = RunningKernel.freePort();
  private Process process;

  private RedisProcess(Path folder) {
    this.folder = folder;
  }

  static RedisProcess start() throws IOException {
    RedisProcess redis = new RedisProcess(Files.createTempDirectory("redis-it"));
    redis.up();
    return redis;
  }

  String url() {
    return "redis://127.0.0.1:" + port;
  }

  /** Asks in plain words; what it answers. */
  String ask(String command) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write((command + "\r\n").getBytes(UTF_8));
      byte[] answer = new byte[10_000];
      return new String(answer, 0, socket.getInputStream().read(answer), UTF_8);
    }
  }

  /** Returns when it takes commands. */
  void up() throws IOException {
    Path log = folder.resolve("log");
    Files.deleteIfExists(log);
    process =
        new ProcessBuilder(
                "redis-server",
                "--bind",
                "127.0.0.1",
                "--port",
                Integer.toString(port),
                "--appendonly",
                "yes",
                // By "everysec", the default, it acknowledges what it has not handed to the system
                // yet.
                "--appendfsync",
                "always",
                "--dir",
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    Await.until(
        "Redis is ready",
        Duration.ofSeconds(20),
        () -> {
          try {
            return Files.readString(log).contains("Ready to accept connections");
          } catch (IOException notYet) {
            return false;
          }
        });
  }

  void kill9() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
