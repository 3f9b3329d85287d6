package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real server, in a folder and on a port of its own. */
final class RedisServer implements AutoCloseable {

  private static final long START_SECONDS_MAX = 20;

  private final Path folder;
  private final List<String> options;
  private final int port = freePort();
  private Process process;

  private RedisServer(Path folder, List<String> options) {
    this.folder = folder;
    this.options = options;
  }

  static RedisServer start(Path folder, String... options) throws Exception {
    RedisServer server = new RedisServer(folder, List.of(options));
    server.start();
    return server;
  }

  void start() throws Exception {
    Files.createDirectories(folder);
    List<String> command =
        new ArrayList<>(
            List.of(
                program(),
                "--bind",
                "127.0.0.1",
                "--port",
                options.contains("--tls-port") ? "0" : Integer.toString(port),
                "--appendonly",
                "yes",
                "--save",
                "",
                "--dir",
                folder.toString()));
    options.forEach(option -> command.add(option.replace("PORT", Integer.toString(port))));
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("log").toFile())
            .start();
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS_MAX);
    while (!Files.readString(folder.resolve("log"), UTF_8)
        .contains("Ready to accept connections")) {
      if (!process.isAlive() || System.nanoTime() > end) {
        throw new IllegalStateException(Files.readString(folder.resolve("log"), UTF_8));
      }
      process.waitFor(10, TimeUnit.MILLISECONDS);
    }
  }

  private static String program() {
    for (String folder : (System.getenv("PATH") + ":/usr/sbin:/usr/local/bin").split(":")) {
      Path program = Path.of(folder, "redis-server");
      if (Files.isExecutable(program)) {
        return program.toString();
      }
    }
    throw new IllegalStateException(
        "this test needs a Redis server, version 7: sudo apt-get install redis-server");
  }

  /** Below those that the system hands out, so that nobody else gets it meanwhile. */
  private static int freePort() {
    for (int port = 21_000 + (int) (ProcessHandle.current().pid() % 5_000); port < 32_000; port++) {
      try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        continue;
      }
    }
    throw new IllegalStateException("no free port");
  }

  int port() {
    return port;
  }

  String url() {
    return "redis://127.0.0.1:" + port;
  }

  /** Asks in plain words; the first line of the answer. */
  String ask(String command) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(10_000);
      socket.getOutputStream().write((command + "\r\n").getBytes(UTF_8));
      byte[] answer = new byte[1_000];
      int length = socket.getInputStream().read(answer);
      return new String(answer, 0, Math.max(0, length), UTF_8).split("\r\n", 2)[0];
    }
  }

  /** As a crash does: nothing is said good-bye to. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  @Override
  public void close() throws InterruptedException {
    kill();
  }
}
