package org.aionos.backend.minio;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** S3Proxy before a folder. Its libraries are laid ready by the module {@code s3-server}. */
public final class S3ProxyServer implements S3Server {

  private static final Pattern STARTED =
      Pattern.compile("Started .*ServerConnector.*\\{127\\.0\\.0\\.1:(\\d+)}");

  private final Path folder;
  private final String endpoint;
  private Process process;
  private int port;

  private S3ProxyServer(Path folder, String endpoint) throws IOException {
    this.folder = folder;
    this.endpoint = endpoint;
    restart();
  }

  public static S3ProxyServer start(Path folder) throws IOException {
    return new S3ProxyServer(folder, "s3proxy.endpoint=http://127.0.0.1:");
  }

  /**
   * @param keys PKCS#12, of the password {@code changeit}
   */
  static S3ProxyServer startSecure(Path folder, Path keys) throws IOException {
    return new S3ProxyServer(
        folder,
        "s3proxy.keystore-path=%s\ns3proxy.keystore-password=changeit\n".formatted(keys)
            + "s3proxy.secure-endpoint=https://127.0.0.1:");
  }

  @Override
  public void restart() throws IOException {
    Path libraries =
        Path.of(System.getProperty("aion.root", "../.."), "bundles", "s3-server", "target", "lib")
            .toAbsolutePath();
    if (!Files.isDirectory(libraries)) {
      throw new IOException("build bundles/s3-server first: " + libraries + " is not there");
    }
    Files.createDirectories(folder.resolve("objects"));
    Path settings =
        Files.writeString(
            folder.resolve("s3proxy.properties"),
            """
            %s%d
            s3proxy.authorization=aws-v4
            s3proxy.identity=%s
            s3proxy.credential=%s
            s3proxy.v4-max-non-chunked-request-size=134217728
            jclouds.provider=filesystem-nio2
            jclouds.filesystem.basedir=%s
            """
                .formatted(endpoint, port, USER, SECRET, folder.resolve("objects")));
    Path logging =
        Files.writeString(
            folder.resolve("logback.xml"),
            "<configuration><appender name='OUT' class='ch.qos.logback.core.ConsoleAppender'>"
                + "<encoder><pattern>%msg%n</pattern></encoder></appender>"
                + "<root level='INFO'><appender-ref ref='OUT'/></root></configuration>");
    process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-Dlogback.configurationFile=" + logging,
                "-cp",
                libraries + "/*",
                "org.gaul.s3proxy.Main",
                "--properties",
                settings.toString())
            .redirectErrorStream(true)
            .start();
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    port = startedOn(process);
  }

  private static int startedOn(Process process) throws IOException {
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    StringBuilder said = new StringBuilder();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      Matcher started = STARTED.matcher(line);
      if (started.find()) {
        Thread drain = new Thread(() -> drain(lines), "s3proxy-log");
        drain.setDaemon(true);
        drain.start();
        return Integer.parseInt(started.group(1));
      }
      said.append(line).append('\n');
    }
    throw new IOException("S3Proxy does not start: " + said);
  }

  /** Else it would wait for a reader of its log. */
  private static void drain(BufferedReader lines) {
    try {
      while (lines.readLine() != null) {
        // Nobody wants to know.
      }
    } catch (IOException | UncheckedIOException ended) {
      // It has.
    }
  }

  @Override
  public int port() {
    return port;
  }

  @Override
  public void kill() {
    process.destroyForcibly();
    process.onExit().join();
  }

  @Override
  public void close() {
    kill();
  }
}
