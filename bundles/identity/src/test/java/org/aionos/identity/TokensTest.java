package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.identity.IdentityProvider.EC;
import static org.aionos.identity.IdentityProvider.OTHER_EC;
import static org.aionos.identity.IdentityProvider.RSA;
import static org.aionos.identity.IdentityProvider.SHORT_RSA;
import static org.aionos.identity.IdentityProvider.claims;
import static org.aionos.identity.IdentityProvider.token;
import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterProperty;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Role;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class TokensTest {

  private final IdentityProvider provider = new IdentityProvider();
  private final Kernel kernel = Kernel.start(provider.settings());

  @AfterEach
  @AfterProperty
  void stop() {
    kernel.close();
    provider.close();
  }

  @Test
  void tokens_signed_with_rsa_and_with_elliptic_curves_say_who_calls() {
    Caller ada = Caller.person("ada@example", Role.OPERATOR, null);

    assertThat(admits(token(RSA, claims().build()))).isEqualTo(ada);
    assertThat(admits(token(EC, claims().build()))).isEqualTo(ada);
    assertThat(provider.asked).hasValue(1);
  }

  @Test
  void tokens_signed_with_ed25519_say_who_calls() throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    byte[] der = pair.getPublic().getEncoded();
    byte[] raw = Arrays.copyOfRange(der, der.length - 32, der.length);
    OctetKeyPair published =
        new OctetKeyPair.Builder(Curve.Ed25519, Base64URL.encode(raw)).keyID("ed-1").build();
    provider.published.add(published);
    String token = ed25519Token(pair);

    assertThat(admits(token).keyId()).isEqualTo("ada@example");
    String forged = token.substring(0, token.lastIndexOf('.') + 1) + Base64URL.encode(new byte[64]);
    refuses(forged);
  }

  @Test
  void the_highest_role_wins() {
    assertThat(role(List.of("viewer"))).isEqualTo(Role.VIEWER);
    assertThat(role(List.of("viewer", "admin", "operator"))).isEqualTo(Role.ADMIN);
    assertThat(role("operator")).isEqualTo(Role.OPERATOR);
  }

  @Test
  void without_a_role_one_may_nothing() {
    for (Object none :
        new Object[] {null, List.of(), List.of("Admin", "root"), "", 7, List.of(7)}) {
      String token = token(claims().claim("roles", none).build());
      kernel.refuses(Request.bearer(token), Code.ROLE_REQUIRED);
    }
  }

  @Test
  void a_tenant_claim_limits_to_that_tenant() {
    Caller caller = admits(token(claims().claim("tenant", "acme").build()));

    assertThat(caller.tenant()).isEqualTo("acme");
    assertThat(caller.maySee("acme")).isTrue();
    assertThat(caller.maySee("tenantA")).isFalse();
  }

  @Test
  void a_broken_tenant_claim_is_not_taken_for_no_limit() {
    for (Object broken : new Object[] {"", "no/name", 7, List.of("acme")}) {
      refuses(token(claims().claim("tenant", broken).build()));
    }
  }

  @Test
  void a_token_must_be_for_us_and_from_our_provider() {
    refuses(token(claims().issuer("https://other.example").build()));
    refuses(token(claims().issuer(null).build()));
    refuses(token(claims().audience("another").build()));
    refuses(token(claims().audience((String) null).build()));
    admits(token(claims().audience(List.of("another", "aion")).build()));
  }

  @Test
  void a_token_without_expiry_is_refused() {
    assertThat(refuses(token(claims().expirationTime(null).build())).message()).contains("no exp");
  }

  @Test
  void a_token_is_expired_at_its_instant_and_the_skew_and_not_before() {
    Instant expires = FakeClock.START.plusSeconds(600);
    String token = token(claims().expirationTime(Date.from(expires)).build());

    kernel.clock.advance(Duration.ofSeconds(630).minusMillis(1));
    admits(token);
    kernel.clock.advance(Duration.ofMillis(1));
    assertThat(refuses(token).message()).contains("expired");
  }

  @Test
  void a_token_is_good_from_its_instant_less_the_skew() {
    Instant from = FakeClock.START.plusSeconds(100);
    String token = token(claims().notBeforeTime(Date.from(from)).build());

    kernel.clock.advance(Duration.ofSeconds(70).minusMillis(1));
    refuses(token);
    kernel.clock.advance(Duration.ofMillis(1));
    admits(token);
  }

  @Test
  void a_subject_is_required_and_can_be_printed() {
    String[] wrong = {null, "", "a\nb", "a\u202eb", "x".repeat(256), "bootstrap-token"};
    for (String subject : wrong) {
      refuses(token(claims().subject(subject).build()));
    }
    admits(token(claims().subject("x".repeat(255)).build()));
  }

  @Test
  void an_unsigned_token_is_refused() {
    refuses(new PlainJWT(claims().build()).serialize());
    String[] parts = token(claims().build()).split("\\.");
    refuses(parts[0] + "." + parts[1] + ".");
    for (String none : List.of("none", "None", "NONE")) {
      refuses(Base64URL.encode("{\"alg\":\"" + none + "\"}") + "." + parts[1] + ".");
    }
  }

  @Test
  void a_public_key_is_no_secret_to_sign_with() throws JOSEException {
    for (byte[] secret :
        List.of(
            RSA.toRSAPublicKey().getEncoded(), RSA.toPublicJWK().toJSONString().getBytes(UTF_8))) {
      SignedJWT jwt =
          new SignedJWT(
              new JWSHeader.Builder(JWSAlgorithm.HS256).keyID("rsa-1").build(), claims().build());
      jwt.sign(new MACSigner(secret));

      assertThat(refuses(jwt.serialize()).message()).contains("algorithm");
    }
  }

  @Test
  void an_algorithm_outside_of_the_list_is_refused_whoever_signed() {
    JWSHeader rs512 = new JWSHeader.Builder(JWSAlgorithm.RS512).keyID("rsa-1").build();

    assertThat(refuses(token(rs512, RSA, claims().build())).message()).contains("algorithm");
  }

  @Test
  void keys_that_a_token_brings_along_are_not_believed() throws JOSEException {
    RSAKey forger = new com.nimbusds.jose.jwk.gen.RSAKeyGenerator(2_048).keyID("rsa-1").generate();
    JWSHeader header =
        new JWSHeader.Builder(JWSAlgorithm.RS256)
            .keyID("rsa-1")
            .jwk(forger.toPublicJWK())
            .jwkURL(java.net.URI.create("http://127.0.0.1:1/keys"))
            .build();

    assertThat(refuses(token(header, forger, claims().build())).message()).contains("signature");
  }

  @Test
  void a_short_key_is_not_trusted_even_if_the_provider_publishes_it() {
    provider.published.add(SHORT_RSA);

    refuses(token(SHORT_RSA, claims().build()));
  }

  @Test
  void a_token_of_another_kind_is_refused() {
    JWSHeader logout =
        new JWSHeader.Builder(JWSAlgorithm.ES256)
            .type(new JOSEObjectType("logout+jwt"))
            .keyID("ec-1")
            .build();
    JWSHeader access =
        new JWSHeader.Builder(JWSAlgorithm.ES256)
            .type(new JOSEObjectType("at+JWT"))
            .keyID("ec-1")
            .build();
    JWSHeader critical =
        new JWSHeader.Builder(JWSAlgorithm.ES256)
            .keyID("ec-1")
            .criticalParams(Set.of("exp"))
            .customParam("exp", 1)
            .build();

    refuses(token(logout, EC, claims().build()));
    assertThat(refuses(token(critical, EC, claims().build())).message()).contains("critical");
    admits(token(access, EC, claims().build()));
  }

  @Test
  void a_token_without_a_key_id_is_checked_against_all_keys_that_fit() {
    provider.published.add(OTHER_EC);
    JWSHeader header = new JWSHeader(JWSAlgorithm.ES256);

    admits(token(header, OTHER_EC, claims().build()));
  }

  @Test
  void a_rotated_key_is_found_with_one_question() {
    admits(token(claims().build()));
    provider.published.add(OTHER_EC);
    kernel.clock.advance(Duration.ofSeconds(10));

    admits(token(OTHER_EC, claims().build()));
    admits(token(OTHER_EC, claims().build()));
    assertThat(provider.asked).hasValue(2);
  }

  @Test
  void unknown_keys_do_not_make_us_ask_more_than_every_ten_seconds() {
    admits(token(claims().build()));

    for (int i = 0; i < 50; i++) {
      refuses(token(OTHER_EC, claims().build()));
    }
    assertThat(provider.asked).hasValue(1);
    kernel.clock.advance(Duration.ofSeconds(10));
    for (int i = 0; i < 50; i++) {
      refuses(token(OTHER_EC, claims().build()));
    }
    assertThat(provider.asked).hasValue(2);
    admits(token(claims().build()));
  }

  @Test
  void a_withdrawn_key_is_not_trusted_for_longer_than_the_key_sets_age() {
    String token = token(claims().build());
    admits(token);
    provider.published.remove(EC);

    kernel.clock.advance(Duration.ofSeconds(300));

    refuses(token);
  }

  @Test
  void an_outage_of_the_provider_is_bridged_for_an_hour() {
    String token = token(claims().expirationTime(new Date(4_000_000_000_000L)).build());
    admits(token);
    provider.status = 500;

    kernel.clock.advance(Duration.ofMinutes(60).minusMillis(1));
    admits(token);
    kernel.clock.advance(Duration.ofMillis(1));
    assertThat(refuses(token).message()).contains("could not be loaded");
    kernel.clock.advance(Duration.ofSeconds(10));
    provider.status = 200;
    admits(token);
  }

  @Test
  void a_key_set_that_cannot_be_loaded_is_named_as_the_reason() {
    int[] statuses = {500, 404, 302};
    for (int status : statuses) {
      provider.status = status;
      assertThat(refuses(token(claims().build())).message()).contains("could not be loaded");
      kernel.clock.advance(Duration.ofSeconds(10));
    }
    provider.status = 200;
    for (String document : List.of("{", "[]", "{\"keys\":7}", "x".repeat((1 << 20) + 1))) {
      provider.document = document;
      assertThat(refuses(token(claims().build())).message()).contains("could not be loaded");
      kernel.clock.advance(Duration.ofSeconds(10));
    }
    provider.document = "";
    admits(token(claims().build()));
  }

  @Test
  void a_provider_that_is_down_is_not_asked_by_every_call() {
    provider.status = 503;

    for (int i = 0; i < 20; i++) {
      refuses(token(claims().build()));
    }

    assertThat(provider.asked).hasValue(1);
  }

  @Test
  void a_key_set_may_come_from_a_file() throws IOException {
    Path file = Files.createTempFile("keys", ".json");
    Files.writeString(file, new JWKSet(List.<JWK>of(EC)).toString(true));

    try (Kernel offline = Kernel.start(IdentityProvider.settings(file.toUri()))) {
      assertThat(offline.admits(Request.bearer(token(claims().build()))).role())
          .isEqualTo(Role.OPERATOR);
      Files.delete(file);
      offline.clock.advance(Duration.ofMinutes(60));
      offline.refuses(Request.bearer(token(claims().build())), Code.INVALID_TOKEN);
    }
  }

  @Test
  void a_token_has_a_length() {
    JWTClaimsSet large = claims().claim("x", "y".repeat(20_000)).build();

    assertThat(refuses(token(large)).message()).contains("longer");
  }

  @Property(tries = 300)
  void a_change_of_any_character_of_a_token_breaks_it(
      @ForAll @IntRange(max = 10_000) int at, @ForAll @CharRange(from = '!', to = '~') char other) {
    String right = token(claims().build());
    int index = at % right.length();
    String tampered = right.substring(0, index) + other + right.substring(index + 1);

    if (!tampered.equals(right)) {
      refuses(tampered);
    }
  }

  @Test
  void another_spelling_of_a_token_is_refused() {
    String right = token(claims().build());
    while (!right.contains("-")) {
      right = token(claims().build()); // Its signature holds chance.
    }

    refuses(right.replace('-', '+'));
    refuses(right + "=");
    refuses(right + "!");
  }

  @Property(tries = 300)
  void no_text_whatever_does_more_than_to_be_refused(@ForAll String text) {
    if (!text.startsWith("aion_bt_")) {
      refuses(text);
      refuses(Base64URL.encode(text) + "." + Base64URL.encode(text) + "." + Base64URL.encode(text));
      refuses(Base64URL.encode("{\"alg\":\"RS256\",\"kid\":\"" + text + "\"}") + ".e30.AAAA");
    }
  }

  @Test
  void deep_or_doubled_json_in_a_token_is_refused() {
    String deep = "[".repeat(5_000) + "]".repeat(5_000);
    refuses(Base64URL.encode("{\"alg\":\"ES256\",\"x\":" + deep + "}") + ".e30.AAAA");
    refuses(Base64URL.encode("{\"alg\":\"ES256\",\"alg\":\"none\"}") + ".e30.AAAA");
    refuses(Base64URL.encode("{\"alg\":null}") + ".e30.AAAA");
    refuses(Base64URL.encode("null") + ".e30.AAAA");
  }

  private static String ed25519Token(KeyPair pair) throws GeneralSecurityException {
    String signed =
        Base64URL.encode("{\"alg\":\"EdDSA\",\"kid\":\"ed-1\"}")
            + "."
            + Base64URL.encode(claims().build().toString());
    Signature signature = Signature.getInstance("Ed25519");
    signature.initSign(pair.getPrivate());
    signature.update(signed.getBytes(UTF_8));
    return signed + "." + Base64URL.encode(signature.sign());
  }

  private Role role(Object claim) {
    return admits(token(claims().claim("roles", claim).build())).role();
  }

  private Caller admits(String token) {
    return kernel.admits(Request.bearer(token));
  }

  private Problem refuses(String token) {
    Problem problem = kernel.refuses(Request.bearer(token), Code.INVALID_TOKEN);
    assertThat(problem.message()).hasSizeLessThan(200);
    return problem;
  }
}
