package org.aionos.backend.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.aionos.items.Certificates;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who is let in, and whose word is taken. */
final class RedisAccessTest {

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

  /**
   * The server refuses and hangs up at once; now and then Lettuce learns of the second before it
   * has read the first, and then says less.
   */
  private void assertRefused(StoreDriver.Opening opening, String why) {
    String said = "";
    for (int attempt = 0; attempt < 10 && !said.endsWith(why); attempt++) {
      try (ItemStore store = driver.open(opening)) {
        said = catchThrowableOfType(StoreUnavailable.class, store::bytes).getMessage();
      }
      assertThat(said)
          .isIn(
              "the server of short memory " + why, "the server of short memory cannot be reached");
    }
    assertThat(said).isEqualTo("the server of short memory " + why);
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
      assertRefused(opening("redis://" + host, null, "wr0ng"), "refuses: WRONGPASS");
      assertRefused(opening("redis://kernel:wr0ng@" + host, null, null), "refuses: WRONGPASS");
      assertRefused(opening("redis://" + host, null, null), "refuses: NOAUTH");
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
    Certificates certificates = new Certificates(folder);
    Path ca = certificates.authority("ca");
    Path other = certificates.authority("other");
    certificates.certify("ca", "server", "ip:127.0.0.1");
    certificates.certify("ca", "elsewhere", "dns:elsewhere.example");
    Duration timeout = Duration.ofSeconds(10);

    try (RedisServer server = tls("server")) {
      String url = "rediss://127.0.0.1:" + server.port();
      assertAnswers(Openings.of(url, null, null, ca, timeout));
      assertRefused(Openings.of(url, null, null, other, timeout), "cannot be reached");
      assertRefused(Openings.of(url, null, null, null, timeout), "cannot be reached");
      assertRefused(Openings.of(server.url(), null, null, null, timeout), "cannot be reached");
    }
    try (RedisServer server = tls("elsewhere")) {
      String url = "rediss://127.0.0.1:" + server.port();
      assertRefused(Openings.of(url, null, null, ca, timeout), "cannot be reached");
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
}
