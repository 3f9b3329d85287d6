package org.aionos.backend.minio;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of a bucket when the wire or the server fails, and who is let in. */
final class MinioObjectsTest {

  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  @TempDir static Path folder;
  private static S3ProxyServer server;

  private final String bucket = "aion-" + UUID.randomUUID();
  private FaultyWire wire;
  private ObjectStore store;

  @BeforeAll
  static void start() throws Exception {
    server = S3ProxyServer.start(folder);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @BeforeEach
  void open() throws Exception {
    wire = new FaultyWire(server.port());
    store = new MinioDriver().open(opening("http", wire.port(), S3Server.SECRET, null), TIMEOUT);
  }

  @AfterEach
  void close() throws Exception {
    store.close();
    wire.close();
  }

  private StoreDriver.Opening opening(String scheme, int port, String secret, Path caFile) {
    return new StoreDriver.Opening(
        "episodic",
        scheme + "://127.0.0.1:" + port,
        bucket,
        S3Server.USER,
        secret,
        caFile,
        TIMEOUT,
        folder);
  }

  @ParameterizedTest
  @EnumSource(names = {"STALL", "CUT", "REFUSE"})
  void a_wire_that_fails_is_told_in_time_and_all_is_well_after_it(FaultyWire.Fault fault) {
    store.put("a", "before".getBytes(UTF_8));
    wire.is(fault);
    long begun = System.nanoTime();

    assertThatThrownBy(() -> store.put("b", new byte[100_000]))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageNotContainingAny("127.0.0.1", S3Server.USER, S3Server.SECRET);
    assertThatThrownBy(() -> store.get("a")).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(() -> store.names("", null, 9)).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(() -> store.delete("a")).isInstanceOf(StoreUnavailable.class);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(TIMEOUT.multipliedBy(5));

    wire.is(FaultyWire.Fault.NONE);
    store.put("b", "after".getBytes(UTF_8));
    assertThat(store.get("b")).hasValueSatisfying(is("after"));
  }

  private static java.util.function.Consumer<byte[]> is(String text) {
    return bytes -> assertThat(new String(bytes, UTF_8)).isEqualTo(text);
  }

  @Test
  void a_server_that_is_not_there_is_told_in_time() throws Exception {
    wire.close();
    long begun = System.nanoTime();

    assertThatThrownBy(() -> store.put("a", new byte[1])).isInstanceOf(StoreUnavailable.class);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(TIMEOUT.multipliedBy(2));
  }

  @Test
  void a_wrong_secret_is_refused_by_the_server_and_stands_in_no_message() {
    store.put("a", new byte[1]);
    StoreDriver.Opening wrong = opening("http", wire.port(), "not-the-secret", null);
    try (ObjectStore other = new MinioDriver().open(wrong, TIMEOUT)) {
      assertThatThrownBy(() -> other.get("a"))
          .isInstanceOf(StoreUnavailable.class)
          .hasMessageContaining("refuses")
          .hasMessageNotContaining("not-the-secret");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "ftp://host", "host:9000", "http://host/path"})
  void settings_that_cannot_be_right_are_refused_at_once(String url) {
    StoreDriver.Opening opening =
        new StoreDriver.Opening("episodic", url, "b", "u", "s3cret", null, TIMEOUT, folder);

    assertThatThrownBy(() -> new MinioDriver().open(opening, TIMEOUT))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageNotContaining("s3cret");
  }

  @Test
  void a_server_is_believed_only_with_a_certificate_of_the_given_authority() throws Exception {
    Path own = certificate("own");
    Path others = certificate("others");
    try (S3ProxyServer secure =
        S3ProxyServer.startSecure(folder.resolve("secure"), folder.resolve("own.p12"))) {
      try (ObjectStore trusted =
          new MinioDriver().open(opening("https", secure.port(), S3Server.SECRET, own), TIMEOUT)) {
        trusted.put("a", "over TLS".getBytes(UTF_8));
        assertThat(trusted.get("a")).hasValueSatisfying(is("over TLS"));
      }
      for (Path wrong : new Path[] {others, null}) {
        try (ObjectStore stranger =
            new MinioDriver()
                .open(opening("https", secure.port(), S3Server.SECRET, wrong), TIMEOUT)) {
          assertThatThrownBy(() -> stranger.get("a")).isInstanceOf(StoreUnavailable.class);
        }
      }
    }
  }

  private static Path certificate(String name) throws Exception {
    Path keys = folder.resolve(name + ".p12");
    Path pem = folder.resolve(name + ".pem");
    keytool(
        "-genkeypair -alias a -keyalg EC -dname CN=127.0.0.1 -ext san=ip:127.0.0.1 -validity 30",
        keys);
    keytool("-exportcert -alias a -rfc -file " + pem, keys);
    return pem;
  }

  private static void keytool(String arguments, Path keys) throws Exception {
    String command =
        Path.of(System.getProperty("java.home"), "bin", "keytool")
            + " "
            + arguments
            + " -storepass changeit -keystore "
            + keys;
    Process process = new ProcessBuilder(command.split(" ")).inheritIO().start();
    assertThat(process.waitFor()).isZero();
  }
}
