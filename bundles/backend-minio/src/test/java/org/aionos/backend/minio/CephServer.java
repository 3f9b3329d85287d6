package org.aionos.backend.minio;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The object gateway of Ceph with a cluster of one behind it: the S3 that is run in production. The
 * script beside this says how.
 */
public final class CephServer implements S3Server {

  private final Path script;
  private final Path folder;
  private final int port;

  private CephServer(Path script, Path folder, int port) {
    this.script = script;
    this.folder = folder;
    this.port = port;
  }

  public static CephServer start(Path folder) throws IOException {
    Path script = Path.of("src", "test", "ceph", "ceph").toAbsolutePath();
    CephServer server = new CephServer(script, folder, freePort());
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    server.run("up", String.valueOf(freePort()));
    return server;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private void run(String what, String monitorPort) throws IOException {
    Path log = folder.resolveSibling(folder.getFileName() + ".log");
    Process process =
        new ProcessBuilder(
                "bash",
                script.toString(),
                what,
                folder.toString(),
                String.valueOf(port),
                monitorPort,
                USER,
                SECRET)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    try {
      if (!process.waitFor(180, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new IOException("ceph " + what + ": " + Files.readString(log));
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
      throw new IOException(hurry);
    }
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public void kill() {
    try {
      run("kill", "0");
    } catch (IOException failed) {
      throw new IllegalStateException(failed);
    }
  }

  @Override
  public void restart() throws IOException {
    run("again", "0");
  }

  @Override
  public void close() {
    if (Files.isDirectory(folder)) {
      kill();
    }
  }
}
