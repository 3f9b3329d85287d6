package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in, and whose word is taken. */
final class RedisAccessTest {

  private static final String PASSWORD = "changeit";

  @TempDir Path folder;
  private final RedisDriver driver = new RedisDriver();

  @AfterEach
  void stop() {
    driver.close();
  }

  private static StoreDriver.Opening opening(String url, String user, String secret) {
    return Openings.of(url, user, secret, null, Duration.ofSeconds(10));
  }

  private void assertAnswers(StoreDriver.Opening opening) {
    try (ItemStore store = driver.open(opening)) {
      assertThat(store.bytes()).isEmpty();
    }
  }

  private void assertRefused(StoreDriver.Opening opening) {
    try (ItemStore store = driver.open(opening)) {
      assertThatThrownBy(store::bytes)
          .isInstanceOfSatisfying(
              StoreUnavailable.class,
              refused ->
                  assertThat(refused.getMessage())
                      .startsWith("the server of short memory ")
                      .doesNotContain("127.0.0.1", "s3cret", "wr0ng", "kernel"));
    }
  }

  @Test
  void the_password_is_that_of_the_settings_or_of_the_url() throws Exception {
    try (RedisServer server =
        RedisServer.start(
            folder, "--requirepass", "s3cret", "--user", "kernel", "on", ">own", "~*", "+@all")) {
      String host = "127.0.0.1:" + server.port();

      assertAnswers(opening("redis://" + host, null, "s3cret"));
      assertAnswers(opening("redis://:s3cret@" + host + "/2", null, null));
      assertAnswers(opening("redis://:wr0ng@" + host, null, "s3cret"));
      assertAnswers(opening("redis://kernel:wr0ng@" + host, null, "own"));
      assertAnswers(opening("redis://" + host, "kernel", "own"));
      assertRefused(opening("redis://" + host, null, "wr0ng"));
      assertRefused(opening("redis://kernel:wr0ng@" + host, null, null));
      assertRefused(opening("redis://" + host, null, null));
    }
  }

  @Test
  void settings_that_cannot_be_right_are_refused_without_their_secrets() {
    for (String url :
        List.of(
            "http://:s3cret@host",
            "redis://:s3cret@ho st",
            "redis-sentinel://:s3cret@host",
            "redis://:s3cret@host:99999999",
            "")) {
      assertThatThrownBy(() -> driver.open(Openings.of(url)))
          .as(url)
          .isInstanceOfSatisfying(
              IllegalArgumentException.class,
              refused -> {
                assertThat(refused).hasNoCause();
                assertThat(refused.getMessage()).startsWith("url ").doesNotContain("s3cret");
              });
    }
    StoreDriver.Opening longMemory =
        new StoreDriver.Opening(
            "long", "redis://host", "", null, null, null, Openings.TIMEOUT, folder);
    assertThatThrownBy(() -> driver.open(longMemory)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(
            () ->
                driver.open(
                    Openings.of(
                        "rediss://host", null, null, folder.resolve("none"), Openings.TIMEOUT)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_server_has_to_prove_by_its_certificate_who_it_is() throws Exception {
    Path ca = authority("ca");
    Path other = authority("other");
    certify("ca", "server", "ip:127.0.0.1");
    certify("ca", "elsewhere", "dns:elsewhere.example");
    Duration timeout = Duration.ofSeconds(10);

    try (RedisServer server = tls("server")) {
      String url = "rediss://127.0.0.1:" + server.port();
      assertAnswers(Openings.of(url, null, null, ca, timeout));
      assertRefused(Openings.of(url, null, null, other, timeout));
      assertRefused(Openings.of(url, null, null, null, timeout));
      assertRefused(Openings.of(server.url(), null, null, null, timeout));
    }
    try (RedisServer server = tls("elsewhere")) {
      String url = "rediss://127.0.0.1:" + server.port();
      assertRefused(Openings.of(url, null, null, ca, timeout));
    }
  }

  private RedisServer tls(String name) throws Exception {
    return RedisServer.start(
        folder.resolve("redis-" + name),
        "--tls-port",
        "PORT",
        "--tls-cert-file",
        folder.resolve(name + ".pem").toString(),
        "--tls-key-file",
        folder.resolve(name + ".key").toString(),
        "--tls-ca-cert-file",
        folder.resolve("ca.pem").toString(),
        "--tls-auth-clients",
        "no");
  }

  // --- certificates, by the JDK's own tool ------------------------------------------------------

  private Path authority(String name) throws Exception {
    keytool(name, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name, "-ext", "bc:c");
    return pem(name);
  }

  private void certify(String authority, String name, String alternative) throws Exception {
    String request = folder.resolve(name + ".csr").toString();
    String answer = folder.resolve(name + ".crt").toString();
    keytool(name, "-genkeypair", "-keyalg", "EC", "-dname", "CN=" + name);
    keytool(name, "-certreq", "-file", request);
    keytool(
        authority,
        "-gencert",
        "-infile",
        request,
        "-outfile",
        answer,
        "-ext",
        "san=" + alternative);
    keytool(authority, "-exportcert", "-file", folder.resolve("up.crt").toString());
    importCertificate(name, "up", folder.resolve("up.crt").toString());
    importCertificate(name, name, answer);
    pem(name);
  }

  private void importCertificate(String store, String alias, String file) throws Exception {
    run(store, "-importcert", "-noprompt", "-alias", alias, "-file", file);
  }

  private void keytool(String store, String... words) throws Exception {
    List<String> all = new ArrayList<>(Arrays.asList(words));
    all.add("-alias");
    all.add(store);
    run(store, all.toArray(String[]::new));
  }

  private void run(String store, String... words) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(Path.of(System.getProperty("java.home"), "bin/keytool").toString()));
    command.addAll(Arrays.asList(words));
    command.addAll(
        List.of("-keystore", folder.resolve(store + ".p12").toString(), "-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
    assertThat(process.waitFor()).as(output).isZero();
  }

  /** Certificate and key of a store, as Redis reads them. */
  private Path pem(String name) throws Exception {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream bytes = Files.newInputStream(folder.resolve(name + ".p12"))) {
      store.load(bytes, PASSWORD.toCharArray());
    }
    Key key = store.getKey(name, PASSWORD.toCharArray());
    Files.writeString(folder.resolve(name + ".key"), text("PRIVATE KEY", key.getEncoded()));
    return Files.writeString(
        folder.resolve(name + ".pem"),
        text("CERTIFICATE", store.getCertificateChain(name)[0].getEncoded()));
  }

  private static String text(String what, byte[] bytes) {
    return "-----BEGIN %s-----%n%s%n-----END %s-----%n"
        .formatted(what, Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes), what);
  }
}
