package org.aionos.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import org.aionos.kernel.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A provider behind TLS, with a certificate of nobody's but its own. */
final class TlsTest {

  private static final String SAID =
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
          + "data: {\"choices\":[{\"delta\":{\"content\":\"sealed\"},\"finish_reason\":\"stop\"}]}\n\n"
          + "data: [DONE]\n\n";

  @TempDir Path folder;

  private void keytool(String... arguments) throws Exception {
    String[] command = new String[arguments.length + 1];
    command[0] = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process =
        new ProcessBuilder(command)
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  private SSLServerSocket server(String host) throws Exception {
    keytool(
        "-genkeypair",
        "-alias",
        "s",
        "-keyalg",
        "EC",
        "-dname",
        "CN=" + host,
        "-ext",
        "san=dns:" + host,
        "-storetype",
        "PKCS12",
        "-keystore",
        host,
        "-storepass",
        "password");
    keytool(
        "-exportcert",
        "-rfc",
        "-alias",
        "s",
        "-keystore",
        host,
        "-storepass",
        "password",
        "-file",
        host + ".pem");
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(folder.resolve(host))) {
      keys.load(in, "password".toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, "password".toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    SSLServerSocket socket =
        (SSLServerSocket) context.getServerSocketFactory().createServerSocket(0);
    Thread thread = new Thread(() -> serve(socket), "tls-server");
    thread.setDaemon(true);
    thread.start();
    return socket;
  }

  private static void serve(SSLServerSocket server) {
    while (!server.isClosed()) {
      try (SSLSocket caller = (SSLSocket) server.accept();
          OutputStream out = caller.getOutputStream()) {
        caller.getInputStream().read(new byte[65_536]);
        out.write(SAID.getBytes(StandardCharsets.UTF_8));
      } catch (IOException refused) {
        // A caller that does not trust us says so by leaving.
      }
    }
  }

  private World world(SSLServerSocket socket, String caFile) throws Exception {
    return new World(
        Files.createTempDirectory(folder, "config"),
        """
        providers: { sealed: { url: "https://localhost:%d", any_model: true %s } }
        retry: { attempts_max: 1 }
        """
            .formatted(
                socket.getLocalPort(),
                caFile.isEmpty() ? "" : ", ca_file: '" + folder.resolve(caFile) + "'"));
  }

  private static final Map<String, Object> PARAMS = Map.of("prompt", "x", "model", "sealed/x");

  @Test
  void a_provider_is_known_by_its_certificate_and_its_name() throws Exception {
    try (SSLServerSocket socket = server("localhost");
        SSLServerSocket other = server("elsewhere.example")) {
      try (World known = world(socket, "localhost.pem")) {
        assertThat(known.generate(PARAMS).result()).containsEntry("text", "sealed");
      }
      try (World unknown = world(socket, "")) {
        assertThat(unknown.refusal(PARAMS).problem().code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
      }
      try (World misnamed = world(other, "elsewhere.example.pem")) {
        assertThat(misnamed.refusal(PARAMS).problem().code()).isEqualTo(Code.UPSTREAM_UNAVAILABLE);
      }
    }
  }
}
