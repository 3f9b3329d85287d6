package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** The way out to the network, as an operator opens it and an agent uses it. */
@Order(6)
class EgressIT {

  private static final String FETCHER = "agent://tenantA/fetcher-1";
  private static final String SECRET = "Bearer s3cr3t-of-the-operator";

  @Test
  void net_fetch_reaches_what_a_rule_names_with_credentials_that_nobody_sees() throws Exception {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/",
        exchange -> {
          byte[] answer =
              ("sent " + exchange.getRequestHeaders().getFirst("Authorization")).getBytes(UTF_8);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    server.start();
    try (RunningKernel kernel = RunningKernel.named("egress").bare().start()) {
      register(kernel);
      String url = "http://localhost:" + server.getAddress().getPort() + "/v1/x";
      fetch(kernel, url).expect(403, "EGRESS_DENIED");

      open(kernel, server.getAddress().getPort());
      Await.until(
          "the rule is in force", Duration.ofSeconds(20), () -> fetch(kernel, url).status() == 200);

      Answer answer = fetch(kernel, url).expect(200);
      assertThat(answer.at("/result/body")).isEqualTo("sent [withheld]");
      assertThat(answer.json().at("/result/status").asInt()).isEqualTo(200);
      fetch(kernel, url.replace("/v1/", "/v2/")).expect(403, "EGRESS_DENIED");
      fetch(kernel, "http://169.254.169.254/latest").expect(403, "EGRESS_DENIED");
      Answer malformed = fetch(kernel, "https://user:password@a/").expect(400, "INVALID_FIELD");
      assertThat(malformed.at("/error/pointer")).isEqualTo("/params/url");
      assertThat(fetch(kernel, "").expect(400).at("/error/pointer")).isEqualTo("/params/url");

      String events = kernel.call(kernel.operator(), "GET", "/metrics").text() + kernel.log();
      assertThat(events)
          .contains("aion_egress_requests_total{code=\"OK\"}")
          .doesNotContain("s3cr3t");
      assertThat(kernel.auditVerify().exit()).isZero();
    } finally {
      server.stop(0);
    }
  }

  /** Inside the distribution a TLS engine has to be found; what it cannot read it says so. */
  @Test
  void the_broker_speaks_tls_itself() throws Exception {
    try (ServerSocket plain = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        RunningKernel kernel = RunningKernel.named("egress").bare().start()) {
      Thread answers = new Thread(() -> sayNoTls(plain));
      answers.setDaemon(true);
      answers.start();
      register(kernel);
      open(kernel, plain.getLocalPort());

      String url = "https://localhost:" + plain.getLocalPort() + "/v1/x";
      Await.until(
          "the rule is in force",
          Duration.ofSeconds(20),
          () -> !fetch(kernel, url).code().equals("EGRESS_DENIED"));

      Answer answer = fetch(kernel, url).expect(502, "UPSTREAM_UNAVAILABLE");
      assertThat(answer.at("/error/message")).contains("SSL");
    }
  }

  private static void sayNoTls(ServerSocket server) {
    while (true) {
      try (Socket socket = server.accept()) {
        socket.getOutputStream().write("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes(UTF_8));
        socket.getOutputStream().flush();
        while (socket.getInputStream().read() >= 0) {
          // Until the other side has had enough.
        }
      } catch (IOException closed) {
        if (server.isClosed()) {
          return;
        }
      }
    }
  }

  private static void register(RunningKernel kernel) {
    ObjectNode agent = RunningKernel.JSON.createObjectNode();
    agent.put("agent_id", FETCHER).put("name", "fetcher").put("version", "1.0.0");
    agent.put(
        "manifest",
        """
        apiVersion: aion.os/v1
        kind: Agent
        metadata: { name: fetcher, version: 1.0.0 }
        spec:
          entry: "python main.py"
          capabilities: { network: true }
          syscalls: [net.fetch]
        """);
    kernel.call(RESEARCHER_V2, "POST", "/v1/agent/register", agent).expect(200);
  }

  private static Answer fetch(RunningKernel kernel, String url) {
    ObjectNode body = RunningKernel.syscall("net.fetch", FETCHER);
    body.withObject("/params").put("url", url);
    return kernel.call(RESEARCHER_V2, "POST", "/v1/syscall/net.fetch", body);
  }

  private static void open(RunningKernel kernel, int port) throws IOException {
    var secrets = kernel.data().resolve("config/secrets.yaml");
    Files.createFile(
        secrets,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(secrets, "api: \"" + SECRET + "\"\n");
    Files.writeString(
        kernel.data().resolve("config/egress.yaml"),
        """
        apiVersion: aion.os/v1
        kind: EgressPolicy
        rules:
          - name: local
            tenants: [tenantA]
            agents: [fetcher-1]
            tools: [net.fetch]
            hosts: [localhost]
            schemes: [http, https]
            ports: [%d]
            paths: ["/v1/*"]
            private: true
        credentials:
          - { host: localhost, path: "/v1/*", header: Authorization, secret: api }
        """
            .formatted(port));
  }
}
