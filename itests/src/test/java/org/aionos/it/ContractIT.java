package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.aionos.it.RunningKernel.TENANT;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URLEncoder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What a caller may rely on: each mistake has its own code, and every answer is as openapi.yaml
 * says. The latter is checked with every call, see {@link RunningKernel#call}.
 */
@Order(2)
class ContractIT {

  private static final String INVOKE = "/v1/syscall/tool.invoke";
  private static final byte[] NOTHING = new byte[0];
  private static RunningKernel kernel;
  private static Signer acme;

  @BeforeAll
  static void a_second_tenant_without_compatibility() {
    kernel = SharedKernel.get();
    kernel.awaitTool("echo@1.0.0");
    String secret =
        kernel
            .call(kernel.operator(), "POST", "/v1/tenants", object("tenant", "acme"))
            .expect(201)
            .at("/secret");
    acme = Signer.v2("acme", "tenant-secret", secret);
  }

  // --- mistakes in the body -------------------------------------------------------------------

  @TestFactory
  List<DynamicTest> each_mistake_in_a_syscall_has_its_own_code_and_pointer() {
    List<DynamicTest> tests = new ArrayList<>();
    mistake(tests, "another schema", 400, "UNKNOWN_SCHEMA", "/schema", b -> b.put("schema", "x"));
    mistake(tests, "no schema", 400, "MISSING_FIELD", "/schema", b -> b.remove("schema"));
    mistake(tests, "a schema of null", 400, "MISSING_FIELD", "/schema", b -> b.putNull("schema"));
    mistake(tests, "no syscall", 400, "MISSING_FIELD", "/syscall", b -> b.remove("syscall"));
    mistake(tests, "no agent", 400, "MISSING_FIELD", "/agent_id", b -> b.remove("agent_id"));
    mistake(tests, "no params", 400, "MISSING_FIELD", "/params", b -> b.remove("params"));
    mistake(
        tests,
        "a number for the agent",
        400,
        "INVALID_FIELD",
        "/agent_id",
        b -> b.put("agent_id", 7));
    mistake(
        tests,
        "an agent id of no form",
        400,
        "INVALID_FIELD",
        "/agent_id",
        b -> b.put("agent_id", "researcher-1"));
    mistake(
        tests,
        "an agent id that climbs",
        400,
        "INVALID_FIELD",
        "/agent_id",
        b -> b.put("agent_id", "agent://tenantA/../x"));
    mistake(tests, "params in a list", 400, "INVALID_FIELD", "/params", b -> b.putArray("params"));
    mistake(
        tests, "a context of text", 400, "INVALID_FIELD", "/context", b -> b.put("context", "t-1"));
    mistake(tests, "an unknown field", 400, "INVALID_FIELD", "/extra", b -> b.put("extra", 1));
    mistake(
        tests,
        "an unknown field of the context",
        400,
        "INVALID_FIELD",
        "/context/user",
        b -> b.putObject("context").put("user", "x"));
    mistake(
        tests,
        "a task id that is too long",
        400,
        "INVALID_FIELD",
        "/context/task_id",
        b -> b.putObject("context").put("task_id", "x".repeat(257)));
    mistake(
        tests,
        "capabilities in one text",
        400,
        "INVALID_FIELD",
        "/caps_required",
        b -> b.put("caps_required", "network"));
    mistake(
        tests,
        "a number among the capabilities",
        400,
        "INVALID_FIELD",
        "/caps_required/0",
        b -> b.putArray("caps_required").add(1));
    mistake(
        tests,
        "a budget that is negative",
        400,
        "INVALID_FIELD",
        "/budget/usd_max",
        b -> b.putObject("budget").put("usd_max", -1));
    mistake(
        tests,
        "no time at all",
        400,
        "INVALID_FIELD",
        "/budget/latency_ms",
        b -> b.putObject("budget").put("latency_ms", 0));
    mistake(
        tests,
        "a broken number of milliseconds",
        400,
        "INVALID_FIELD",
        "/budget/latency_ms",
        b -> b.putObject("budget").put("latency_ms", 1.5));
    mistake(
        tests,
        "another syscall than the path's",
        400,
        "NAME_MISMATCH",
        "/syscall",
        b -> b.put("syscall", "tool.list"));
    mistake(
        tests,
        "an agent of another tenant",
        403,
        "TENANT_MISMATCH",
        "/agent_id",
        b -> b.put("agent_id", "agent://acme/x"));
    mistake(
        tests,
        "an agent that is not registered",
        403,
        "UNKNOWN_AGENT",
        "",
        b -> b.put("agent_id", "agent://tenantA/nobody"));
    mistake(
        tests,
        "no tool",
        400,
        "MISSING_FIELD",
        "/params/tool",
        b -> b.putObject("params").put("text", "x"));
    mistake(
        tests,
        "a tool of the wrong type",
        400,
        "INVALID_FIELD",
        "/params/tool",
        b -> b.putObject("params").put("tool", 1));
    mistake(
        tests,
        "a tool that is not there",
        404,
        "UNKNOWN_TOOL",
        "/params/tool",
        b -> b.putObject("params").put("tool", "ecco"));
    mistake(
        tests,
        "a version that is not there",
        404,
        "UNKNOWN_TOOL",
        "/params/tool",
        b -> b.putObject("params").put("tool", "echo@9.9.9"));
    mistake(
        tests,
        "a capability that the agent lacks",
        403,
        "CAPABILITY_DENIED",
        "",
        b -> b.putArray("caps_required").add("subprocess"));
    mistake(
        tests,
        "an argument of the tool missing",
        400,
        "MISSING_FIELD",
        "/params/text",
        b -> b.putObject("params").put("tool", "echo"));
    mistake(
        tests,
        "an argument of the tool of another type",
        400,
        "INVALID_FIELD",
        "/params/text",
        b -> b.putObject("params").put("tool", "echo").put("text", 7));
    mistake(
        tests,
        "an argument that the tool does not know",
        400,
        "INVALID_FIELD",
        "/params/more",
        b -> b.putObject("params").put("tool", "calculate").put("expression", "1").put("more", 1));
    return tests;
  }

  private static void mistake(
      List<DynamicTest> tests,
      String name,
      int status,
      String code,
      String pointer,
      Consumer<ObjectNode> made) {
    tests.add(
        DynamicTest.dynamicTest(
            name + " is " + status + " " + code,
            () -> {
              ObjectNode body = echo();
              made.accept(body);

              Answer answer = kernel.call(RESEARCHER_V1, "POST", INVOKE, body);

              answer.expect(status, code);
              assertThat(answer.at("/error/pointer")).as(answer.text()).isEqualTo(pointer);
              assertThat(answer.at("/error/message")).isNotBlank();
              assertThat(answer.auditId()).isNotEmpty();
            }));
  }

  @TestFactory
  List<DynamicTest> each_body_that_is_no_document_has_its_own_code() {
    List<DynamicTest> tests = new ArrayList<>();
    bytes(tests, "no JSON", "MALFORMED_JSON", "{\"schema\":".getBytes(UTF_8));
    bytes(tests, "nothing", "MALFORMED_JSON", NOTHING);
    bytes(tests, "a list", "INVALID_FIELD", "[]".getBytes(UTF_8));
    bytes(tests, "text behind the document", "MALFORMED_JSON", (echo() + "x").getBytes(UTF_8));
    bytes(tests, "two documents", "MALFORMED_JSON", ("" + echo() + echo()).getBytes(UTF_8));
    bytes(tests, "not a number", "MALFORMED_JSON", "{\"schema\":NaN}".getBytes(UTF_8));
    bytes(
        tests,
        "a key twice",
        "DUPLICATE_KEY",
        "{\"schema\":\"a\",\"schema\":\"b\"}".getBytes(UTF_8));
    bytes(
        tests,
        "a key twice, inside",
        "DUPLICATE_KEY",
        echo().toString().replace("\"text\":", "\"tool\":\"x\",\"text\":").getBytes(UTF_8));
    bytes(
        tests,
        "lists in lists",
        "TOO_DEEP",
        ("{\"a\":" + "[".repeat(70) + "]".repeat(70) + "}").getBytes(UTF_8));
    bytes(
        tests,
        "lists in lists without end",
        "TOO_DEEP",
        ("{\"a\":" + "[".repeat(200_000)).getBytes(UTF_8));
    bytes(
        tests,
        "half a character",
        "INVALID_UTF8",
        new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xC3, '"', '}'});
    bytes(
        tests,
        "an overlong slash",
        "INVALID_UTF8",
        new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xC0, (byte) 0xAF, '"', '}'});
    bytes(
        tests,
        "half a surrogate pair",
        "INVALID_UTF8",
        new byte[] {'{', '"', 'a', '"', ':', '"', (byte) 0xED, (byte) 0xA0, (byte) 0x80, '"', '}'});
    return tests;
  }

  private static void bytes(List<DynamicTest> tests, String name, String code, byte[] body) {
    tests.add(
        DynamicTest.dynamicTest(
            name + " is " + code,
            () -> kernel.call(RESEARCHER_V1, "POST", INVOKE, body).expect(400, code)));
  }

  @Test
  void a_body_that_is_too_large_is_413_with_and_without_its_length_told() throws IOException {
    byte[] large = new byte[1_048_577];
    java.util.Arrays.fill(large, (byte) ' ');
    String head =
        "POST "
            + INVOKE
            + " HTTP/1.1\nHost: x\nX-Tenant-Id: tenantA\nX-Sig-HMAC: "
            + Signer.hmac("TENANT_A_SECRET", large)
            + "\n";

    Answer told =
        RawHttp.answerOf(
            kernel.port(), head + "Content-Length: " + large.length + "\n\n", new byte[16]);
    Answer untold =
        RawHttp.answerOf(
            kernel.port(),
            head + "Transfer-Encoding: chunked\n\n" + Integer.toHexString(large.length) + "\n",
            large);

    told.expect(413, "BODY_TOO_LARGE");
    untold.expect(413, "BODY_TOO_LARGE");
    OpenApi.check("POST", INVOKE, told);
    OpenApi.check("POST", INVOKE, untold);
  }

  // --- mistakes in the request ----------------------------------------------------------------

  @Test
  void what_the_path_and_the_method_say_is_looked_at_before_the_credential() {
    Signer nobody = Signer.nobody();

    kernel.call(nobody, "GET", "/v1/nothing").expect(404, "NOT_FOUND");
    kernel.call(nobody, "GET", "/").expect(404, "NOT_FOUND");
    kernel.call(nobody, "GET", "/v1/agents/").expect(401, "MISSING_CREDENTIAL");
    kernel.call(nobody, "GET", INVOKE).expect(405, "METHOD_NOT_ALLOWED");
    kernel.call(nobody, "PUT", "/v1/agents").expect(405, "METHOD_NOT_ALLOWED");
    kernel.call(nobody, "DELETE", "/healthz").expect(405, "METHOD_NOT_ALLOWED");
  }

  @Test
  void a_syscall_that_is_unknown_is_404_and_one_that_comes_later_501() {
    ObjectNode unknown = syscall("tool.destroy", RESEARCHER);
    ObjectNode later = syscall("model.generate", RESEARCHER);

    kernel
        .call(RESEARCHER_V1, "POST", "/v1/syscall/tool.destroy", unknown)
        .expect(404, "UNKNOWN_SYSCALL");
    kernel
        .call(RESEARCHER_V1, "POST", "/v1/syscall/model.generate", later)
        .expect(501, "NOT_INSTALLED");
  }

  @Test
  void a_body_of_another_type_is_415() {
    byte[] body = RunningKernel.bytes(echo());
    Map<String, String> headers = new HashMap<>(RESEARCHER_V1.headers("POST", INVOKE, body));
    headers.put("Content-Type", "text/xml");

    kernel.call("POST", INVOKE, headers, body).expect(415, "UNSUPPORTED_MEDIA_TYPE");
  }

  @Test
  void headers_that_are_too_large_are_431() throws IOException {
    Answer answer =
        RawHttp.answerOf(
            kernel.port(),
            "GET /healthz HTTP/1.1\nHost: x\nX-Large: " + "x".repeat(20_000) + "\n\n",
            NOTHING);

    answer.expect(431, "HEADERS_TOO_LARGE");
    OpenApi.check("GET", "/healthz", answer);
  }

  @Test
  void a_signature_that_is_sent_twice_is_refused_though_both_are_right() throws IOException {
    byte[] body = RunningKernel.bytes(echo());
    String signature = "X-Sig-HMAC: " + Signer.hmac("TENANT_A_SECRET", body) + "\n";

    Answer answer =
        RawHttp.answerOf(
            kernel.port(),
            "POST "
                + INVOKE
                + " HTTP/1.1\nHost: x\nX-Tenant-Id: tenantA\n"
                + signature
                + signature
                + "Content-Length: "
                + body.length
                + "\n\n",
            body);

    answer.expect(400, "MALFORMED_REQUEST");
    OpenApi.check("POST", INVOKE, answer);
  }

  // --- credentials ----------------------------------------------------------------------------

  @Test
  void a_request_that_proves_nothing_says_what_it_lacks() {
    byte[] body = RunningKernel.bytes(echo());

    kernel.call(Signer.nobody(), "POST", INVOKE, body).expect(401, "MISSING_CREDENTIAL");
    kernel
        .call("POST", INVOKE, Map.of("X-Tenant-Id", TENANT), body)
        .expect(401, "MISSING_CREDENTIAL");
    kernel
        .call(Signer.v1("nobody", "TENANT_A_SECRET"), "POST", INVOKE, body)
        .expect(401, "UNKNOWN_TENANT");
    kernel.call(Signer.v1(TENANT, "WRONG"), "POST", INVOKE, body).expect(401, "BAD_SIGNATURE");
    kernel
        .call("POST", INVOKE, Map.of("X-Tenant-Id", TENANT, "X-Sig-HMAC", "zz"), body)
        .expect(401, "BAD_SIGNATURE");
    kernel
        .call(Signer.v2(TENANT, "ak_nothing", "x"), "POST", INVOKE, body)
        .expect(401, "UNKNOWN_KEY");
    kernel.call(Signer.bearer("nonsense"), "GET", "/v1/tools").expect(401, "INVALID_TOKEN");
    kernel.call(Signer.bearer("aion_bt_x"), "GET", "/v1/tools").expect(401, "INVALID_TOKEN");
  }

  @Test
  void version_1_is_for_compatibility_tenants_and_for_posts() {
    ObjectNode body = syscall("tool.list", "agent://acme/x");

    kernel
        .call(Signer.v1("acme", "x"), "POST", "/v1/syscall/tool.list", body)
        .expect(401, "SIGNATURE_VERSION_REFUSED");
    kernel.call(RESEARCHER_V1, "GET", "/v1/tools").expect(401, "SIGNATURE_VERSION_REFUSED");
    kernel.call(RESEARCHER_V2, "GET", "/v1/tools").expect(200);
  }

  @Test
  void a_version_2_request_is_taken_once_and_only_as_it_was_signed() {
    byte[] body = RunningKernel.bytes(echo());
    Map<String, String> signed = RESEARCHER_V2.headers("POST", INVOKE, body);
    Map<String, String> forHeartbeat = RESEARCHER_V2.headers("POST", "/v1/agent/heartbeat", body);
    Map<String, String> withQuery = RESEARCHER_V2.headers("GET", "/v1/agents?limit=1", NOTHING);
    byte[] changed = RunningKernel.bytes(echo().put("extra", 1));

    kernel
        .call("POST", INVOKE, RESEARCHER_V2.headers("POST", INVOKE, body), changed)
        .expect(401, "BAD_SIGNATURE");
    kernel.call("POST", INVOKE, signed, body).expect(200);
    kernel.call("POST", INVOKE, signed, body).expect(401, "REPLAYED");
    kernel.call("POST", INVOKE, forHeartbeat, body).expect(401, "BAD_SIGNATURE");
    kernel.call("GET", "/v1/agents?limit=2", withQuery, NOTHING).expect(401, "BAD_SIGNATURE");
    kernel.call("GET", "/v1/agents?limit=1", withQuery, NOTHING).expect(200);
  }

  @Test
  void a_timestamp_of_another_time_is_stale() {
    for (long off : new long[] {-3_600_000, 3_600_000}) {
      Map<String, String> headers =
          Signer.v2(
              TENANT,
              "tenant-secret",
              "TENANT_A_SECRET",
              System.currentTimeMillis() + off,
              Signer.nonce(),
              "GET",
              "/v1/agents",
              NOTHING);

      kernel.call("GET", "/v1/agents", headers, NOTHING).expect(401, "STALE_TIMESTAMP");
    }
  }

  @Test
  void an_agents_key_signs_for_it_alone_until_it_expires_or_is_revoked() {
    register("keyed-1", "network").expect(200);
    Key key = key("agent://tenantA/keyed-1", null);
    Key shortLived = key("agent://tenantA/keyed-1", 1);
    ObjectNode own = syscall("agent.info", "agent://tenantA/keyed-1");
    ObjectNode others = syscall("agent.info", RESEARCHER);
    String target = "/v1/syscall/agent.info";

    kernel.call(key.signer, "POST", target, own).expect(200);
    kernel.call(key.signer, "POST", target, others).expect(403, "NOT_YOUR_AGENT");
    kernel
        .call(key.signer, "POST", "/v1/agent/register", registration("keyed-1", "gpu"))
        .expect(403, "ROLE_REQUIRED");
    kernel
        .call(key.signer, "GET", "/v1/syscalls?agent=" + encoded(RESEARCHER))
        .expect(403, "NOT_YOUR_AGENT");
    Await.until(
        "the short-lived key expires",
        Duration.ofSeconds(10),
        () -> kernel.call(shortLived.signer, "POST", target, own).code().equals("KEY_EXPIRED"));
    kernel.call(RESEARCHER_V2, "DELETE", "/v1/keys/" + key.id).expect(200);
    kernel.call(key.signer, "POST", target, own).expect(401, "KEY_REVOKED");
    kernel.call(RESEARCHER_V2, "DELETE", "/v1/keys/" + key.id).expect(200);
    kernel.call(RESEARCHER_V2, "DELETE", "/v1/keys/ak_nothing").expect(404, "NOT_FOUND");
    assertThat(kernel.call(RESEARCHER_V2, "GET", "/v1/keys").expect(200).json().get("items"))
        .hasSizeGreaterThanOrEqualTo(2);
  }

  @Test
  void a_tenant_sees_nothing_of_another() {
    String agent = "agent://acme/writer-1";
    ObjectNode body = registration("writer-1", "network").put("agent_id", agent);

    kernel.call(acme, "POST", "/v1/agent/register", body).expect(200);

    kernel.call(acme, "GET", "/v1/agents/" + encoded(agent)).expect(200);
    kernel
        .call(RESEARCHER_V2, "GET", "/v1/agents/" + encoded(agent))
        .expect(403, "TENANT_MISMATCH");
    kernel.call(RESEARCHER_V2, "GET", "/v1/agents?tenant=acme").expect(403, "TENANT_MISMATCH");
    kernel.call(RESEARCHER_V2, "GET", "/v1/keys?tenant=acme").expect(403, "TENANT_MISMATCH");
    kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", body).expect(403, "ROLE_REQUIRED");
    String auditId = kernel.invoke("echo", Map.of("text", "x")).expect(200).auditId();
    kernel.call(acme, "GET", "/v1/syscalls/" + auditId).expect(404, "NOT_FOUND");
    assertThat(kernel.call(acme, "GET", "/v1/syscalls").expect(200).text())
        .doesNotContain("tenantA");
  }

  // --- the good answers -----------------------------------------------------------------------

  @Test
  void a_call_is_answered_and_on_record() {
    ObjectNode body = echo();
    body.putObject("context").put("task_id", "t-1").put("trace_id", "tr-1");
    body.putObject("budget").put("usd_max", 0.05).put("latency_ms", 3_000);

    Answer answer = kernel.call(RESEARCHER_V1, "POST", INVOKE, body).expect(200);

    assertThat(answer.at("/result/text")).isEqualTo("hello");
    assertThat(answer.at("/engine/name")).isEqualTo("tooling/echo@1.0.0");
    Answer record =
        kernel.call(RESEARCHER_V2, "GET", "/v1/syscalls/" + answer.auditId()).expect(200);
    assertThat(record.at("/asked/task_id")).isEqualTo("t-1");
    assertThat(record.at("/ended/code")).isEqualTo("OK");
    assertThat(record.text()).doesNotContain("hello");
    String page = "/v1/syscalls?limit=5&syscall=tool.invoke&agent=" + encoded(RESEARCHER);
    Answer first = kernel.call(kernel.operator(), "GET", page).expect(200);
    assertThat(first.json().get("items")).isNotEmpty();
    String last = first.json().get("items").get(0).get("sequence").asText();
    kernel.call(kernel.operator(), "GET", page + "&before=" + last).expect(200);
    kernel.call(kernel.operator(), "GET", "/v1/syscalls?limit=0").expect(400, "INVALID_FIELD");
    kernel.call(kernel.operator(), "GET", "/v1/syscalls?from=now").expect(400, "INVALID_FIELD");
  }

  @Test
  void a_registration_that_asks_for_more_waits_for_an_operator() {
    String agent = "agent://tenantA/wider-1";
    String target = "/v1/agents/" + encoded(agent);
    ObjectNode call = syscall("tool.invoke", agent);
    call.putArray("caps_required").add("network");
    call.withObject("/params").put("tool", "echo").put("text", "x");

    register("wider-1").expect(200);
    kernel.call(RESEARCHER_V1, "POST", INVOKE, call).expect(403, "CAPABILITY_DENIED");
    Answer pending = register("wider-1", "network").expect(202);
    kernel.call(RESEARCHER_V1, "POST", INVOKE, call).expect(403, "CAPABILITY_DENIED");
    String digest = pending.at("/pending/digest");
    kernel
        .call(RESEARCHER_V1, "POST", target + "/approve", object("digest", digest))
        .expect(403, "ROLE_REQUIRED");
    kernel
        .call(kernel.operator(), "POST", target + "/approve", object("digest", "0".repeat(64)))
        .expect(409, "CONFLICT");
    kernel
        .call(kernel.operator(), "POST", target + "/approve", object("digest", digest))
        .expect(200);
    kernel.call(RESEARCHER_V1, "POST", INVOKE, call).expect(200);
  }

  @Test
  void a_stopped_agent_is_refused_until_it_is_resumed() {
    String agent = "agent://tenantA/stopped-1";
    String target = "/v1/agents/" + encoded(agent);
    ObjectNode call = syscall("agent.info", agent);
    register("stopped-1").expect(200);

    kernel.call(RESEARCHER_V2, "POST", target + "/stop").expect(403, "ROLE_REQUIRED");
    assertThat(kernel.call(kernel.operator(), "POST", target + "/stop").expect(200).at("/state"))
        .isEqualTo("stopped");
    kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/agent.info", call).expect(403, "AGENT_STOPPED");
    kernel.call(kernel.operator(), "POST", target + "/resume").expect(200);
    kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/agent.info", call).expect(200);
    kernel
        .call(kernel.operator(), "POST", "/v1/agents/" + encoded("agent://tenantA/no") + "/stop")
        .expect(404, "NOT_FOUND");
  }

  @Test
  void registration_and_heartbeat_say_what_is_wrong_with_them() {
    register("").expect(400, "INVALID_FIELD");
    ObjectNode nameless = registration("nameless-1");
    nameless.remove("name");
    kernel.call(RESEARCHER_V1, "POST", "/v1/agent/register", nameless).expect(400, "MISSING_FIELD");
    assertThat(register("flies-1", "teleport").expect(200).at("/withheld/teleport"))
        .isEqualTo("global/allow");
    ObjectNode heartbeat = object("agent_id", RESEARCHER).put("cpu", 0.5).put("queue", 2);
    heartbeat.put("mem_bytes", 1 << 20);
    kernel.call(RESEARCHER_V1, "POST", "/v1/agent/heartbeat", heartbeat).expect(200);
    kernel
        .call(RESEARCHER_V1, "POST", "/v1/agent/heartbeat", heartbeat.put("cpu", "much"))
        .expect(400, "INVALID_FIELD");
    kernel
        .call(
            RESEARCHER_V1, "POST", "/v1/agent/heartbeat", object("agent_id", "agent://tenantA/no"))
        .expect(403, "UNKNOWN_AGENT");
  }

  @Test
  void the_other_questions_are_answered_as_documented() {
    Signer operator = kernel.operator();

    assertThat(kernel.call(operator, "GET", "/v1/agents?limit=1").expect(200).json().get("items"))
        .hasSize(1);
    kernel.call(operator, "GET", "/v1/agents/" + encoded(RESEARCHER)).expect(200);
    kernel.call(operator, "GET", "/v1/agents/nonsense").expect(400, "INVALID_FIELD");
    kernel.call(operator, "GET", "/v1/agents?limit=many").expect(400, "INVALID_FIELD");
    kernel.call(operator, "GET", "/v1/tools").expect(200);
    kernel.call(operator, "GET", "/v1/policy").expect(200);
    kernel.call(operator, "GET", "/v1/tenants").expect(200);
    kernel.call(RESEARCHER_V2, "GET", "/v1/tenants").expect(403, "ROLE_REQUIRED");
    kernel.call(operator, "POST", "/v1/tenants", object("tenant", "acme")).expect(409, "CONFLICT");
    kernel
        .call(operator, "POST", "/v1/tenants", object("tenant", "a/b"))
        .expect(400, "INVALID_FIELD");
    kernel.call(operator, "GET", "/v1/keys").expect(400, "MISSING_FIELD");
    kernel.call(operator, "GET", "/v1/keys?tenant=tenantA").expect(200);
    kernel.call(Signer.nobody(), "GET", "/healthz").expect(200);
    kernel.call(Signer.nobody(), "GET", "/readyz").expect(200);
    kernel.call(Signer.nobody(), "GET", "/openapi.yaml").expect(200);
    assertThat(kernel.call(Signer.nobody(), "GET", "/metrics").expect(200).text())
        .contains("aion_syscalls_total");
    register("asking-1").expect(200);
    for (String name : List.of("tool.list", "agent.info", "agent.list")) {
      ObjectNode body = syscall(name, "agent://tenantA/asking-1");
      kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/" + name, body).expect(200);
    }
    kernel
        .call(RESEARCHER_V1, "POST", "/v1/syscall/tool.list", syscall("tool.list", RESEARCHER))
        .expect(403, "SYSCALL_DENIED");
    kernel
        .call(operator, "POST", "/v1/syscall/tool.list", syscall("tool.list", RESEARCHER))
        .expect(401, "MISSING_CREDENTIAL");
  }

  // --- people ---------------------------------------------------------------------------------

  @Test
  void a_person_may_do_what_the_role_says_and_see_what_the_tenant_claim_says() {
    String agent = "agent://tenantA/peopled-1";
    String stop = "/v1/agents/" + encoded(agent) + "/stop";
    register("peopled-1").expect(200);
    Signer viewer = SharedKernel.PEOPLE.person("viewer");
    Signer operator = SharedKernel.PEOPLE.person("operator");
    Signer admin = SharedKernel.PEOPLE.person("admin");
    Signer acmesOperator = SharedKernel.PEOPLE.personOf("acme", "operator");

    kernel.call(viewer, "GET", "/v1/agents").expect(200);
    kernel.call(viewer, "GET", "/v1/tenants").expect(200);
    kernel.call(viewer, "POST", stop).expect(403, "ROLE_REQUIRED");
    kernel
        .call(viewer, "POST", "/v1/agent/register", registration("peopled-1", "gpu"))
        .expect(403, "ROLE_REQUIRED");
    kernel.call(viewer, "GET", "/v1/keys?tenant=tenantA").expect(403, "ROLE_REQUIRED");

    kernel.call(operator, "POST", stop).expect(200);
    kernel
        .call(operator, "POST", "/v1/tenants", object("tenant", "more"))
        .expect(403, "ROLE_REQUIRED");
    kernel.call(operator, "DELETE", "/v1/tokens/bootstrap").expect(403, "ROLE_REQUIRED");
    kernel.call(admin, "POST", "/v1/tenants", object("tenant", "more")).expect(201);

    kernel.call(acmesOperator, "POST", stop).expect(403, "TENANT_MISMATCH");
    JsonNode seen = kernel.call(acmesOperator, "GET", "/v1/tenants").expect(200).json();
    assertThat(seen.get("items")).hasSize(1);
    assertThat(seen.at("/items/0/tenant").asText()).isEqualTo("acme");
    assertThat(kernel.call(acmesOperator, "GET", "/v1/agents").expect(200).text())
        .doesNotContain("agent://tenantA/");
    assertThat(kernel.call(acmesOperator, "GET", "/v1/syscalls").expect(200).text())
        .doesNotContain("agent://tenantA/");
  }

  @Test
  void a_token_that_is_not_good_for_us_is_refused() {
    IdentityProvider people = SharedKernel.PEOPLE;

    for (Signer bad :
        List.of(
            people.expired("admin"),
            people.forAnotherAudience("admin"),
            IdentityProvider.forged("admin"))) {
      kernel.call(bad, "GET", "/v1/agents").expect(401, "INVALID_TOKEN");
    }
    kernel.call(people.person("janitor"), "GET", "/v1/agents").expect(403, "ROLE_REQUIRED");
  }

  @Test
  void an_operator_plans_and_then_installs_a_tool_over_http() {
    byte[] jar = ToolJars.plain("uploaded", "1.0.0").bytes();
    String digest = HexFormat.of().formatHex(Signer.sha256(jar));
    ObjectNode body = object("jar", Base64.getEncoder().encodeToString(jar));
    Signer operator = SharedKernel.PEOPLE.person("operator");

    Answer plan = kernel.call(operator, "POST", "/v1/tools?plan=true", body).expect(200);
    assertThat(plan.at("/refusal/rule")).isEqualTo("trust/unsigned");
    assertThat(plan.at("/digest")).isEqualTo(digest);
    assertThat(plan.at("/installed")).isEqualTo("false");
    assertThat(
            kernel
                .call(operator, "POST", "/v1/tools", body)
                .expect(400, "MISSING_FIELD")
                .at("/error/pointer"))
        .isEqualTo("/digest");
    body.put("digest", "0".repeat(64));
    assertThat(
            kernel
                .call(operator, "POST", "/v1/tools", body)
                .expect(400, "INVALID_FIELD")
                .at("/error/pointer"))
        .isEqualTo("/digest");
    body.put("digest", digest);
    Answer refused =
        kernel.call(operator, "POST", "/v1/tools", body).expect(403, "TOOL_NOT_TRUSTED");
    assertThat(refused.at("/error/rule")).isEqualTo("trust/unsigned");
    body.put("signature", "no signature!");
    plan = kernel.call(operator, "POST", "/v1/tools?plan=true", body).expect(200);
    assertThat(plan.at("/refusal/rule")).isEqualTo("trust/malformed-signature");
    kernel.allow(jar);

    assertThat(kernel.call(operator, "POST", "/v1/tools", body).expect(200).at("/installed"))
        .isEqualTo("true");
    kernel.invoke("uploaded", Map.of()).expect(200);
  }

  @Test
  void installing_tools_is_for_operators_and_for_jars() {
    ObjectNode body = object("jar", Base64.getEncoder().encodeToString(new byte[9]));
    String target = "/v1/tools?plan=true";
    Signer operator = SharedKernel.PEOPLE.person("operator");

    for (Signer other :
        List.of(
            SharedKernel.PEOPLE.person("viewer"),
            RESEARCHER_V2,
            SharedKernel.PEOPLE.personOf("acme", "operator"))) {
      assertThat(kernel.call(other, "POST", target, body).status()).isEqualTo(403);
    }
    kernel.call(operator, "POST", target, body).expect(400, "INVALID_FIELD");
    assertThat(
            kernel
                .call(operator, "POST", target, object("jar", "not base64!"))
                .expect(400, "INVALID_FIELD")
                .at("/error/pointer"))
        .isEqualTo("/jar");
    kernel.call(operator, "POST", "/v1/tools?plan=maybe", body).expect(400, "INVALID_FIELD");
  }

  // --- helpers --------------------------------------------------------------------------------

  private record Key(String id, Signer signer) {}

  private static Key key(String agent, Integer seconds) {
    ObjectNode body = object("agent_id", agent);
    if (seconds != null) {
      body.put("ttl_s", seconds);
    }
    Answer made = kernel.call(RESEARCHER_V2, "POST", "/v1/keys", body).expect(201);
    String id = made.at("/key_id");
    return new Key(id, Signer.v2(TENANT, id, made.at("/secret")));
  }

  private static Answer register(String name, String... capabilities) {
    return kernel.call(
        RESEARCHER_V1, "POST", "/v1/agent/register", registration(name, capabilities));
  }

  private static ObjectNode registration(String name, String... capabilities) {
    ObjectNode body = object("agent_id", "agent://tenantA/" + name);
    body.put("name", "tester").put("version", "1.0.0");
    var declared = body.putArray("capabilities");
    for (String capability : capabilities) {
      declared.add(capability);
    }
    return body;
  }

  private static ObjectNode echo() {
    ObjectNode body = syscall("tool.invoke", RESEARCHER);
    body.withObject("/params").put("tool", "echo").put("text", "hello");
    return body;
  }

  private static ObjectNode object(String name, String value) {
    return RunningKernel.JSON.createObjectNode().put(name, value);
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8);
  }
}
