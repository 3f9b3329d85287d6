package org.aionos.egress;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Egress;
import org.aionos.kernel.Refused;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The broker before a server on this host, which stands for the network. */
final class BrokerTest {

  private static final Egress.Via VIA =
      new Egress.Via(new AgentId("tenantA", "researcher-1"), null, "sc-000000000001");
  private static final String SECRET = "Bearer s3cr3t-of-the-operator";

  @TempDir private Path config;

  private final FakeKernel kernel = new FakeKernel();
  private final Queue<String> seen = new ConcurrentLinkedQueue<>();
  private HttpServer server;
  private Broker broker;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(Executors.newCachedThreadPool());
    server.createContext("/", this::serve);
    server.start();
    rules("");
  }

  @AfterEach
  void stop() throws Exception {
    broker.close();
    server.stop(0);
  }

  private void serve(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    String cookie = exchange.getRequestHeaders().getFirst("Cookie");
    seen.add(
        exchange.getRequestMethod() + " " + path + " " + authorization + " " + cookie + " " + body);
    if (path.equals("/to/itself")) {
      exchange.getResponseHeaders().set("Location", path);
      exchange.sendResponseHeaders(302, -1);
      exchange.close();
      return;
    }
    if (path.startsWith("/to/")) {
      exchange.getResponseHeaders().set("Location", exchange.getRequestURI().getQuery());
      exchange.sendResponseHeaders(Integer.parseInt(path.substring(4)), -1);
      exchange.close();
      return;
    }
    exchange.getResponseHeaders().set("Set-Cookie", "a=b");
    exchange.getResponseHeaders().set("X-Echo", String.valueOf(authorization));
    byte[] answer =
        path.equals("/large")
            ? new byte[5_000]
            : ("you sent " + authorization + " and " + body).getBytes(UTF_8);
    exchange.sendResponseHeaders(path.equals("/missing") ? 404 : 200, answer.length);
    exchange.getResponseBody().write(answer);
    exchange.close();
  }

  private int port() {
    return server.getAddress().getPort();
  }

  private String url(String path) {
    return "http://localhost:" + port() + path;
  }

  /** A broker under these rules; {@code PORT} in them is the server's. */
  private void rules(String rules) throws Exception {
    rules(rules, host -> InetAddress.getAllByName(host));
  }

  private void rules(String rules, Wire.Names names) throws Exception {
    if (broker != null) {
      broker.close();
    }
    Files.writeString(
        config.resolve("egress.yaml"),
        ("apiVersion: aion.os/v1\nkind: EgressPolicy\n" + rules)
            .replace("PORT", String.valueOf(port())));
    SslContextFactory.Client tls = new SslContextFactory.Client();
    Duration patience = Duration.ofSeconds(5);
    broker =
        new Broker(
            new Broker.Limits(1_000, 4, 3),
            new Rulings(config, kernel),
            new Wire(names, true, patience, patience, 4_000, tls),
            new Wire(names, false, patience, patience, 4_000, new SslContextFactory.Client()),
            kernel,
            kernel,
            System::nanoTime);
    broker.open(Duration.ofHours(1));
  }

  private static final String LOCAL =
      """
      rules:
        - name: local
          tenants: [tenantA]
          hosts: [localhost]
          schemes: [http]
          ports: [PORT]
          methods: [GET, POST]
          private: true
      """;

  private Fetched get(String path) throws InterruptedException {
    return broker.fetch(Fetch.get(url(path)), VIA);
  }

  private static void assertRefused(ThrowingCallable call, Code code, String why) {
    assertThatThrownBy(call)
        .isInstanceOf(Refused.class)
        .hasMessageContaining(why)
        .satisfies(refused -> assertThat(((Refused) refused).problem().code()).isEqualTo(code));
  }

  @Test
  void without_a_rule_nothing_is_let_out() {
    assertRefused(() -> get("/"), Code.EGRESS_DENIED, "no egress rule");
    assertThat(seen).isEmpty();
    assertThat(kernel.lastFacts())
        .containsEntry("code", "EGRESS_DENIED")
        .containsEntry("rule", "none");
  }

  @Test
  void a_rule_lets_out_what_it_names_and_nothing_else() throws Exception {
    rules(
        LOCAL.replace(
            "methods: [GET, POST]",
            "paths: [/v1/*]\n    tools: [net.fetch]\n    agents: [researcher-*]"));

    assertThat(get("/v1/x").text()).startsWith("you sent");
    assertRefused(() -> get("/v2/x"), Code.EGRESS_DENIED, "/v2/x");
    assertRefused(() -> get("/v1/../admin"), Code.INVALID_FIELD, "..");
    assertRefused(
        () -> broker.fetch(new Fetch("POST", url("/v1/x"), Map.of(), new byte[0]), VIA),
        Code.EGRESS_DENIED,
        "POST");
    assertRefused(
        () -> broker.fetch(Fetch.get("http://localhost:" + (port() + 1) + "/v1/x"), VIA),
        Code.EGRESS_DENIED,
        "");
    assertRefused(
        () -> broker.fetch(Fetch.get(url("/v1/x").replace("http:", "https:")), VIA),
        Code.EGRESS_DENIED,
        "https");
    for (Egress.Via other :
        List.of(
            new Egress.Via(new AgentId("tenantB", "researcher-1"), null, "sc-1"),
            new Egress.Via(new AgentId("tenantA", "writer-1"), null, "sc-1"),
            new Egress.Via(new AgentId("tenantA", "researcher-1"), "web_search", "sc-1"))) {
      assertRefused(
          () -> broker.fetch(Fetch.get(url("/v1/x")), other), Code.EGRESS_DENIED, "no egress rule");
    }
    assertThat(seen).hasSize(1);
  }

  @Test
  void an_address_that_is_not_public_takes_a_rule_that_says_so() throws Exception {
    rules(LOCAL.replace("private: true", "private: false"));

    assertRefused(() -> get("/"), Code.EGRESS_DENIED, "not of the public network");
    assertThat(seen).isEmpty();
  }

  @Test
  void a_name_that_resolves_to_a_public_and_a_private_address_reaches_the_public_one_only()
      throws Exception {
    AtomicInteger asked = new AtomicInteger();
    rules(
        LOCAL.replace("private: true", "private: false").replace("localhost", "rebind.example"),
        host -> {
          asked.incrementAndGet();
          return new InetAddress[] {
            InetAddress.getByName("127.0.0.1"), InetAddress.getByName("::1")
          };
        });

    assertRefused(
        () -> broker.fetch(Fetch.get("http://rebind.example:" + port() + "/"), VIA),
        Code.EGRESS_DENIED,
        "not of the public network");
    assertThat(asked).hasValue(1); // Asked once, and connected to nothing else than that answer.
    assertThat(seen).isEmpty();
  }

  @Test
  void a_name_that_is_unknown_or_refuses_is_unavailable() throws Exception {
    rules(
        LOCAL.replace("localhost", "gone.example"),
        host -> {
          throw new UnknownHostException(host);
        });

    assertRefused(
        () -> broker.fetch(Fetch.get("http://gone.example:" + port() + "/"), VIA),
        Code.UPSTREAM_UNAVAILABLE,
        "gone.example");
  }

  @Test
  void any_status_is_an_answer_and_is_on_record() throws Exception {
    rules(LOCAL);

    assertThat(get("/missing").status()).isEqualTo(404);
    assertThat(kernel.lastFacts())
        .containsEntry("asked", "sc-000000000001")
        .containsEntry("agent", "agent://tenantA/researcher-1")
        .containsEntry("tool", "net.fetch")
        .containsEntry("host", "localhost:" + port())
        .containsEntry("path", "/missing")
        .containsEntry("status", 404)
        .containsEntry("rule", "local");
  }

  @Test
  void each_redirect_is_judged_again() throws Exception {
    rules(LOCAL.replace("methods: [GET, POST]", "paths: [/to/*, /v1/*]"));

    assertThat(get("/to/302?" + url("/v1/x")).url()).isEqualTo(url("/v1/x"));
    assertThat(get("/to/307?/v1/y").text()).startsWith("you sent");
    assertRefused(() -> get("/to/302?" + url("/admin")), Code.EGRESS_DENIED, "/admin");
    assertRefused(
        () -> get("/to/301?http://169.254.169.254/latest"), Code.EGRESS_DENIED, "169.254");
    assertRefused(() -> get("/to/302?file:///etc/passwd"), Code.UPSTREAM_UNAVAILABLE, "redirects");
    assertRefused(() -> get("/to/itself"), Code.UPSTREAM_UNAVAILABLE, "redirects");
  }

  @Test
  void a_post_that_is_redirected_becomes_a_get_and_leaves_its_body_behind() throws Exception {
    rules(LOCAL);

    broker.fetch(
        new Fetch("POST", url("/to/303?/x"), Map.of("Content-Type", "text/plain"), bytes("b")),
        VIA);
    broker.fetch(new Fetch("POST", url("/to/308?/y"), Map.of(), bytes("b")), VIA);

    assertThat(seen)
        .containsExactly(
            "POST /to/303 null null b",
            "GET /x null null ",
            "POST /to/308 null null b",
            "POST /y null null b");
  }

  @Test
  void what_a_caller_says_to_one_origin_does_not_reach_another() throws Exception {
    rules(LOCAL.replace("hosts: [localhost]", "hosts: [localhost, 127.0.0.1]"));
    Map<String, String> personal = Map.of("Authorization", "mine", "Cookie", "c=1");

    broker.fetch(
        new Fetch("GET", url("/to/302?http://127.0.0.1:" + port() + "/x"), personal, new byte[0]),
        VIA);

    assertThat(seen).containsExactly("GET /to/302 mine c=1 ", "GET /x null null ");
  }

  private static final String WITH_CREDENTIAL =
      LOCAL
          + """
          credentials:
            - { host: localhost, path: /v1/*, header: Authorization, secret: api }
          """;

  private void secret(String permissions) throws IOException {
    Path file = config.resolve("secrets.yaml");
    Files.deleteIfExists(file);
    Files.writeString(file, "api: \"" + SECRET + "\"\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
  }

  @Test
  void credentials_are_put_in_for_their_host_and_path_and_never_come_back() throws Exception {
    secret("rw-------");
    rules(WITH_CREDENTIAL);

    Fetched answer =
        broker.fetch(
            new Fetch("GET", url("/v1/x"), Map.of("authorization", "mine"), new byte[0]), VIA);
    get("/other");

    assertThat(seen).containsExactly("GET /v1/x " + SECRET + " null ", "GET /other null null ");
    assertThat(answer.text()).contains("[withheld]").doesNotContain("s3cr3t");
    assertThat(answer.headers().toString()).doesNotContain("s3cr3t").doesNotContain("set-cookie");
    assertThat(kernel.events.toString()).doesNotContain("s3cr3t");
  }

  @Test
  void a_redirect_does_not_carry_credentials_away() throws Exception {
    secret("rw-------");
    rules(WITH_CREDENTIAL.replace("path: /v1/*", "path: /to/*"));

    get("/to/302?/x");

    assertThat(seen).containsExactly("GET /to/302 " + SECRET + " null ", "GET /x null null ");
  }

  @Test
  void secrets_that_others_can_read_are_not_used() throws Exception {
    secret("rw-r--r--");
    rules(WITH_CREDENTIAL);

    assertRefused(() -> get("/v1/x"), Code.UPSTREAM_UNAVAILABLE, "api");
    assertThat(seen).isEmpty();
    assertThat(kernel.events.toString()).contains("chmod 600").doesNotContain("s3cr3t");

    Files.setPosixFilePermissions(
        config.resolve("secrets.yaml"), PosixFilePermissions.fromString("rw-------"));

    assertThat(get("/v1/x").text()).contains("[withheld]"); // At once: the operator did as told.
  }

  @Test
  void a_request_is_given_up_when_its_own_time_is_over() throws Exception {
    CountDownLatch ended = new CountDownLatch(1);
    server.createContext(
        "/silent",
        exchange -> {
          try (exchange) {
            ended.await();
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
          }
        });
    rules(LOCAL);
    Fetch impatient =
        new Fetch("GET", url("/silent"), Map.of(), new byte[0], Duration.ofMillis(50));

    assertRefused(
        () -> broker.fetch(impatient, VIA), Code.UPSTREAM_UNAVAILABLE, "within the time given");
    ended.countDown();
    assertThat(kernel.lastFacts()).containsEntry("code", "UPSTREAM_UNAVAILABLE");
    assertThat(get("/v1/x").text()).startsWith("you sent");
  }

  @Test
  void requests_and_answers_are_bounded() throws Exception {
    rules(LOCAL);

    assertRefused(() -> get("/large"), Code.RESULT_TOO_LARGE, "4000");
    assertRefused(
        () -> broker.fetch(new Fetch("POST", url("/"), Map.of(), new byte[1_001]), VIA),
        Code.INVALID_FIELD,
        "1000");
  }

  @Test
  void headers_of_the_connection_and_broken_ones_are_refused() throws Exception {
    rules(LOCAL);

    for (Map.Entry<String, String> header :
        Map.of(
                "Host",
                "a",
                "Content-Length",
                "1",
                "Transfer-Encoding",
                "chunked",
                "X Y",
                "a",
                "X",
                "a\r\nY: b",
                "Connection",
                "close",
                "",
                "a",
                "Proxy-Authorization",
                "a")
            .entrySet()) {
      assertRefused(
          () ->
              broker.fetch(
                  new Fetch(
                      "GET", url("/"), Map.of(header.getKey(), header.getValue()), new byte[0]),
                  VIA),
          Code.INVALID_FIELD,
          "");
    }
    assertRefused(
        () -> broker.fetch(new Fetch("CONNECT", url("/"), Map.of(), new byte[0]), VIA),
        Code.INVALID_FIELD,
        "must be one of");
    assertThat(seen).isEmpty();
  }

  /** A server with a certificate for one name, and the client's trust in it, or none. */
  private Fetched overTls(String certified, boolean trusted) throws Exception {
    Path store = config.resolve(certified + trusted + ".p12");
    String keytool = Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
    Process made =
        new ProcessBuilder(
                keytool,
                "-genkeypair",
                "-alias",
                "a",
                "-keyalg",
                "EC",
                "-dname",
                "CN=" + certified,
                "-ext",
                "SAN=dns:" + certified,
                "-validity",
                "2",
                "-storetype",
                "PKCS12",
                "-keystore",
                store.toString(),
                "-storepass",
                "changeit")
            .redirectErrorStream(true)
            .start();
    assertThat(made.waitFor()).as(new String(made.getInputStream().readAllBytes(), UTF_8)).isZero();
    SslContextFactory.Server key = new SslContextFactory.Server();
    key.setKeyStorePath(store.toString());
    key.setKeyStorePassword("changeit");
    key.start();
    HttpsServer secure =
        HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    secure.setHttpsConfigurator(new HttpsConfigurator(key.getSslContext()));
    secure.createContext("/", this::serve);
    secure.start();
    SslContextFactory.Client tls = new SslContextFactory.Client();
    if (trusted) {
      tls.setTrustStorePath(store.toString());
      tls.setTrustStorePassword("changeit");
    }
    Duration patience = Duration.ofSeconds(5);
    Wire wire = new Wire(InetAddress::getAllByName, false, patience, patience, 4_000, tls);
    wire.start();
    try (wire) {
      String url = "https://localhost:" + secure.getAddress().getPort() + "/";
      return wire.send("GET", Target.of(url), Map.of(), new byte[0], Long.MAX_VALUE);
    } finally {
      secure.stop(0);
    }
  }

  @Test
  void a_server_is_believed_only_with_a_trusted_certificate_for_its_name() throws Exception {
    assertThat(overTls("localhost", true).status()).isEqualTo(200);
    assertRefused(() -> overTls("localhost", false), Code.UPSTREAM_UNAVAILABLE, "SSL");
    assertRefused(() -> overTls("other.example", true), Code.UPSTREAM_UNAVAILABLE, "SSL");
  }

  @Test
  void an_interrupt_gives_a_request_up() throws Exception {
    CountDownLatch inside = new CountDownLatch(1);
    CountDownLatch leave = new CountDownLatch(1);
    server.createContext(
        "/slow",
        exchange -> {
          inside.countDown();
          try {
            leave.await();
          } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
          }
          exchange.close();
        });
    rules(LOCAL);
    AtomicReference<Throwable> ended = new AtomicReference<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                get("/slow");
              } catch (Throwable thrown) {
                ended.set(thrown);
              }
            });
    caller.start();
    assertThat(inside.await(10, TimeUnit.SECONDS)).isTrue();

    caller.interrupt();
    caller.join(10_000);
    leave.countDown();

    assertThat(ended.get()).isInstanceOf(InterruptedException.class);
    assertThat(kernel.lastFacts()).containsEntry("code", "TIMED_OUT");
  }

  @Test
  void rules_that_are_no_good_are_told_where_and_let_nothing_out() throws Exception {
    for (Map.Entry<String, String> bad :
        Map.of(
                "rules: [{ name: a, hosts: [x] }]", "/rules/0/tenants",
                "rules: [{ name: a, tenants: [t] }]", "/rules/0/hosts",
                "rules: [{ name: a, tenants: [t], hosts: [\"http://x\"] }]", "/rules/0/hosts",
                "rules: [{ name: a, tenants: [\"*t\"], hosts: [x] }]", "/rules/0/tenants",
                "rules: [{ name: a, tenants: [t], hosts: [x], ports: [0] }]", "/rules/0/ports",
                "rules: [{ name: a, tenants: [t], hosts: [x], schemes: [ftp] }]",
                    "/rules/0/schemes",
                "rules: [{ name: a, tenants: [t], hosts: [x], methodz: [GET] }]",
                    "/rules/0/methodz",
                "credentials: [{ host: x, header: \"a b\", secret: s }]", "/credentials/0/header")
            .entrySet()) {
      rules(bad.getKey());

      assertThat(kernel.lastFacts().get("why").toString())
          .as(bad.getKey())
          .contains(bad.getValue());
      assertRefused(() -> get("/"), Code.EGRESS_DENIED, "no egress rule");
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
