package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity.Secret;
import org.aionos.kernel.Problem;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class SignaturesTest {

  private static final String BODY =
      "{\"agent_id\":\"agent://tenantA/researcher-1\",\"syscall\":\"tool.echo\","
          + "\"args\":{\"text\":\"grüße\"}}";
  private static final String SAMPLE = "tenantA";
  private static final String SAMPLE_SECRET = "TENANT_A_SECRET";

  private final Kernel kernel = Kernel.start();

  @AfterEach
  @AfterProperty
  void stop() {
    kernel.close();
  }

  @Test
  void a_v1_signature_made_elsewhere_is_right() {
    Request request =
        Request.post(BODY)
            .with("x-tenant-id", SAMPLE)
            .with("x-sig-hmac", "09042f9d534436b15c70e2ecb439f8486f9fbf44d44f78ee2515bf054d7b1063");

    assertThat(kernel.admits(request)).isEqualTo(Caller.tenantSecret(SAMPLE, true));
  }

  @Test
  void a_v2_signature_made_elsewhere_is_right() {
    Request request =
        Request.post(BODY)
            .to("POST", "/v1/syscall/tool.echo?trace=1&x=%2F")
            .with("x-tenant-id", SAMPLE)
            .with("x-sig-version", "2")
            .with("x-sig-key", "tenant-secret")
            .with("x-sig-timestamp", "1767225600000")
            .with("x-sig-nonce", "nonce-0123456789_AB")
            .with("x-sig-hmac", "5dde91563da5cff215e90aed0a81ce21a18bca182b9c1c22f290bcfd84d3adf2");

    assertThat(kernel.admits(request)).isEqualTo(Caller.tenantSecret(SAMPLE, true));
  }

  @Test
  void a_v2_signature_of_a_get_without_a_body_made_elsewhere_is_right() {
    Request request =
        Request.post("")
            .to("GET", "/v1/events/stream?topics=kernel.gc")
            .with("x-tenant-id", SAMPLE)
            .with("x-sig-version", "2")
            .with("x-sig-key", "tenant-secret")
            .with("x-sig-timestamp", "1767225600000")
            .with("x-sig-nonce", "abcdefghijklmnop")
            .with("x-sig-hmac", "31880d3e5549fedde58a16b80bdc02013a4d89f1c1b7cd422e92304092b9b886");

    assertThat(kernel.admits(request).kind()).isEqualTo(Caller.Kind.TENANT_SECRET);
  }

  @Test
  void upper_case_digits_are_digits_too() {
    Request request = Request.post(BODY).signedV1(SAMPLE, SAMPLE_SECRET);
    String upper = request.headers().get("x-sig-hmac").toUpperCase(Locale.ROOT);

    assertThat(kernel.admits(request.with("x-sig-hmac", upper)).tenant()).isEqualTo(SAMPLE);
  }

  @Test
  void a_v1_signature_of_an_empty_body_is_a_signature() {
    assertThat(kernel.admits(Request.post("").signedV1(SAMPLE, SAMPLE_SECRET)).tenant())
        .isEqualTo(SAMPLE);
  }

  @Test
  void a_v1_signature_is_good_for_post_only() {
    Request request = Request.post("").signedV1(SAMPLE, SAMPLE_SECRET);

    for (String method : new String[] {"GET", "DELETE", "PUT", "post"}) {
      Problem problem =
          kernel.refuses(request.to(method, "/v1/agents"), Code.SIGNATURE_VERSION_REFUSED);
      assertThat(problem.message()).contains("X-Sig-Version: 2");
    }
  }

  @Test
  void a_new_tenant_takes_no_v1_signature_and_is_told_the_way_out() {
    Secret secret = kernel.tenant("acme");

    Problem problem =
        kernel.refuses(
            Request.post(BODY).signedV1("acme", secret.value()), Code.SIGNATURE_VERSION_REFUSED);

    assertThat(problem.message()).contains("X-Sig-Version: 2");
  }

  @Test
  void only_version_2_may_be_named() {
    for (String version : new String[] {"1", "3", "02", "2 ", "", "two"}) {
      kernel.refuses(
          Request.post(BODY).signedV1(SAMPLE, SAMPLE_SECRET).with("x-sig-version", version),
          Code.SIGNATURE_VERSION_REFUSED);
    }
  }

  @Test
  void a_new_tenants_secret_signs_v2_and_for_no_agent() {
    Secret secret = kernel.tenant("acme");

    Caller caller = kernel.admits(v2("acme", "tenant-secret", secret.value()));

    assertThat(caller).isEqualTo(Caller.tenantSecret("acme", false));
    assertThat(caller.signsFor(new AgentId("acme", "a"))).isFalse();
    assertThat(caller.administers("acme")).isTrue();
  }

  @Test
  void an_agents_key_signs_for_that_agent_and_no_other() {
    AgentId agent = new AgentId("acme", "researcher-1");
    kernel.tenant("acme");
    Secret key = kernel.identity.addKey(agent, null, Kernel.OPERATOR);

    Caller caller = kernel.admits(v2("acme", key.id(), key.value()));

    assertThat(caller).isEqualTo(Caller.agentKey(key.id(), agent));
    assertThat(caller.signsFor(agent)).isTrue();
    assertThat(caller.signsFor(new AgentId("acme", "researcher-2"))).isFalse();
    assertThat(caller.signsFor(new AgentId("other", "researcher-1"))).isFalse();
  }

  @Test
  void a_key_is_unknown_to_another_tenant() {
    kernel.tenant("acme");
    Secret key = kernel.identity.addKey(new AgentId("acme", "a"), null, Kernel.OPERATOR);

    kernel.refuses(v2(SAMPLE, key.id(), key.value()), Code.UNKNOWN_KEY);
  }

  @Test
  void an_unknown_tenant_an_unknown_key_and_a_wrong_signature_are_told_apart() {
    kernel.refuses(Request.post(BODY).signedV1("nobody", "x"), Code.UNKNOWN_TENANT);
    kernel.refuses(Request.post(BODY).signedV1("../etc", "x"), Code.UNKNOWN_TENANT);
    kernel.refuses(v2("nobody", "tenant-secret", "x"), Code.UNKNOWN_TENANT);
    kernel.refuses(v2("nobody", "ak_0123456789abcdef", "x"), Code.UNKNOWN_TENANT);
    kernel.refuses(v2(SAMPLE, "ak_0123456789abcdef", "x"), Code.UNKNOWN_KEY);
    kernel.refuses(Request.post(BODY).signedV1(SAMPLE, "x"), Code.BAD_SIGNATURE);
    kernel.refuses(v2(SAMPLE, "tenant-secret", "x"), Code.BAD_SIGNATURE);
  }

  @Test
  void a_signature_must_be_64_digits() {
    Request request = Request.post(BODY).signedV1(SAMPLE, SAMPLE_SECRET);
    String right = request.headers().get("x-sig-hmac");

    for (String wrong :
        new String[] {
          "",
          "deadbeef",
          right + "0",
          right.substring(1),
          "g" + right.substring(1),
          "\u0660" + right.substring(1),
          "`" + right.substring(1),
          " " + right.substring(1)
        }) {
      kernel.refuses(request.with("x-sig-hmac", wrong), Code.BAD_SIGNATURE);
    }
  }

  @Test
  void without_any_credential_the_answer_says_what_may_be_sent() {
    assertThat(kernel.refuses(Request.post(BODY), Code.MISSING_CREDENTIAL).message())
        .contains("X-Tenant-Id", "X-Sig-HMAC", "Authorization: Bearer");
    kernel.refuses(Request.post(BODY).with("x-tenant-id", SAMPLE), Code.MISSING_CREDENTIAL);
    kernel.refuses(
        Request.post(BODY).signedV1(SAMPLE, SAMPLE_SECRET).without("x-tenant-id"),
        Code.MISSING_CREDENTIAL);
  }

  @Test
  void two_kinds_of_credential_at_once_are_refused() {
    kernel.refuses(
        Request.post(BODY)
            .signedV1(SAMPLE, SAMPLE_SECRET)
            .with("authorization", "Bearer " + kernel.bootstrapToken()),
        Code.MALFORMED_REQUEST);
  }

  @Test
  void malformed_v2_headers_are_named() {
    Map<String, String> wrong =
        Map.of(
            "x-sig-key", "no spaces",
            "x-sig-timestamp", "2026-01-01T00:00:00Z",
            "x-sig-nonce", "tooshort");

    wrong.forEach(
        (header, value) -> {
          Request request = v2(SAMPLE, "tenant-secret", SAMPLE_SECRET);
          Problem malformed = kernel.refuses(request.with(header, value), Code.MALFORMED_REQUEST);
          Problem missing = kernel.refuses(request.without(header), Code.MALFORMED_REQUEST);
          assertThat(malformed.message()).containsIgnoringCase(header).doesNotContain(value);
          assertThat(missing.message()).containsIgnoringCase(header);
        });
  }

  @Test
  void nonces_and_timestamps_have_bounds() {
    Request request = v2(SAMPLE, "tenant-secret", SAMPLE_SECRET);

    kernel.refuses(request.with("x-sig-nonce", "n".repeat(15)), Code.MALFORMED_REQUEST);
    kernel.refuses(request.with("x-sig-nonce", "n".repeat(16)), Code.BAD_SIGNATURE);
    kernel.refuses(request.with("x-sig-nonce", "n".repeat(64)), Code.BAD_SIGNATURE);
    kernel.refuses(request.with("x-sig-nonce", "n".repeat(65)), Code.MALFORMED_REQUEST);
    kernel.refuses(request.with("x-sig-timestamp", "9".repeat(15)), Code.BAD_SIGNATURE);
    kernel.refuses(request.with("x-sig-timestamp", "9".repeat(16)), Code.MALFORMED_REQUEST);
    kernel.refuses(request.with("x-sig-timestamp", "-1"), Code.MALFORMED_REQUEST);
  }

  @Test
  void a_timestamp_is_good_at_the_edges_of_the_window_and_not_beyond() {
    kernel.clock.advance(Kernel.WINDOW.multipliedBy(2));
    long now = kernel.now();
    long window = Kernel.WINDOW.toMillis();

    kernel.admits(v2At(now - window));
    kernel.admits(v2At(now + window));
    assertThat(kernel.refuses(v2At(now - window - 1), Code.STALE_TIMESTAMP).message())
        .contains("300 s behind", Long.toString(now));
    assertThat(kernel.refuses(v2At(now + window + 1), Code.STALE_TIMESTAMP).message())
        .contains("300 s ahead");
  }

  @Test
  void a_replay_is_refused_for_as_long_as_its_timestamp_is_good() {
    kernel.clock.advance(Kernel.WINDOW);
    Request request = v2At(kernel.now() + Kernel.WINDOW.toMillis());
    kernel.admits(request);

    kernel.refuses(request, Code.REPLAYED);
    kernel.clock.advance(Kernel.WINDOW.multipliedBy(2));
    kernel.refuses(request, Code.REPLAYED);
    kernel.clock.advance(Duration.ofMillis(1));
    kernel.refuses(request, Code.STALE_TIMESTAMP);
  }

  @Test
  void one_nonce_serves_one_request_of_a_tenant_whatever_else_differs() {
    Secret acme = kernel.tenant("acme");
    String nonce = "0123456789abcdef";
    kernel.admits(
        v2At(kernel.now()).signedV2(SAMPLE, "tenant-secret", SAMPLE_SECRET, kernel.now(), nonce));

    kernel.refuses(
        Request.post("other")
            .signedV2(SAMPLE, "tenant-secret", SAMPLE_SECRET, kernel.now() + 5, nonce),
        Code.REPLAYED);
    kernel.admits(
        Request.post(BODY).signedV2("acme", "tenant-secret", acme.value(), kernel.now(), nonce));
  }

  @Test
  void a_refused_request_does_not_use_up_its_nonce() {
    Request request = v2At(kernel.now());
    kernel.refuses(request.saying("tampered".getBytes(UTF_8)), Code.BAD_SIGNATURE);

    kernel.admits(request);
  }

  @Test
  void a_key_is_expired_at_its_instant_and_not_before() {
    Duration lifetime = Duration.ofMinutes(10);
    Secret key = kernel.identity.addKey(new AgentId(SAMPLE, "a"), lifetime, Kernel.OPERATOR);

    kernel.clock.advance(lifetime.minusMillis(1));
    kernel.admits(v2(SAMPLE, key.id(), key.value()));
    kernel.clock.advance(Duration.ofMillis(1));
    kernel.refuses(v2(SAMPLE, key.id(), key.value()), Code.KEY_EXPIRED);
  }

  @Test
  void a_key_is_revoked_at_once_and_only_its_holder_is_told() {
    Secret key = kernel.identity.addKey(new AgentId(SAMPLE, "a"), null, Kernel.OPERATOR);
    kernel.admits(v2(SAMPLE, key.id(), key.value()));

    kernel.identity.revokeKey(SAMPLE, key.id(), Kernel.OPERATOR);

    kernel.refuses(v2(SAMPLE, key.id(), key.value()), Code.KEY_REVOKED);
    kernel.refuses(v2(SAMPLE, key.id(), "guessed"), Code.BAD_SIGNATURE);
  }

  @Property(tries = 300)
  void a_change_of_any_byte_of_the_body_breaks_both_signatures(
      @ForAll @IntRange(max = 90) int at, @ForAll @IntRange(min = 1, max = 255) int change) {
    byte[] tampered = BODY.getBytes(UTF_8);
    tampered[at % tampered.length] ^= (byte) change;

    kernel.refuses(v2At(kernel.now()).saying(tampered), Code.BAD_SIGNATURE);
    kernel.refuses(
        Request.post(BODY).signedV1(SAMPLE, SAMPLE_SECRET).saying(tampered), Code.BAD_SIGNATURE);
  }

  @Property(tries = 300)
  void a_change_of_any_character_that_v2_signs_breaks_it(
      @ForAll @IntRange(max = 4) int part, @ForAll @IntRange(max = 40) int at) {
    Request right = v2At(kernel.now());

    Request tampered =
        switch (part) {
          case 0 -> right.to(changed(right.method(), at), right.target());
          case 1 -> right.to(right.method(), changed(right.target(), at));
          case 2 -> right.to(right.method(), right.target() + "?");
          case 3 ->
              right.with("x-sig-timestamp", changed(right.headers().get("x-sig-timestamp"), at));
          default -> right.with("x-sig-nonce", changed(right.headers().get("x-sig-nonce"), at));
        };

    kernel.refuses(tampered, Code.BAD_SIGNATURE);
    kernel.admits(right);
  }

  @Test
  void a_v2_signature_does_not_serve_as_v1_nor_under_another_name() {
    Request right = v2At(kernel.now());

    kernel.refuses(right.without("x-sig-version"), Code.BAD_SIGNATURE);
    kernel.tenant("acme");
    kernel.refuses(right.with("x-tenant-id", "acme"), Code.BAD_SIGNATURE);
    Secret key = kernel.identity.addKey(new AgentId(SAMPLE, "a"), null, Kernel.OPERATOR);
    kernel.refuses(right.with("x-sig-key", key.id()), Code.BAD_SIGNATURE);
  }

  /** Another digit for a digit, another letter for a letter: well-formed as before. */
  private static String changed(String text, int at) {
    int index = at % text.length();
    char old = text.charAt(index);
    char other = old == '1' ? '2' : Character.isDigit(old) ? '1' : old == 'x' ? 'y' : 'x';
    return text.substring(0, index) + other + text.substring(index + 1);
  }

  private Request v2At(long timestampMillis) {
    return Request.post(BODY).signedV2(SAMPLE, "tenant-secret", SAMPLE_SECRET, timestampMillis);
  }

  private Request v2(String tenant, String key, String secret) {
    return Request.post(BODY).signedV2(tenant, key, secret, kernel.now());
  }
}
