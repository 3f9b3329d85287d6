package org.aionos.identity;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.crypto.opts.AllowWeakRSAKey;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.aionos.identity.Settings.TokenSettings;

/** An identity provider on this machine: serves a key set and signs tokens. */
final class IdentityProvider implements AutoCloseable {

  static final String ISSUER = "https://login.example";
  static final String AUDIENCE = "aion";

  // Making an RSA key takes longer than all tests together.
  static final RSAKey RSA = rsa("rsa-1", 2_048);
  static final RSAKey SHORT_RSA = rsa("rsa-short", 1_024);
  static final ECKey EC = ec("ec-1");
  static final ECKey OTHER_EC = ec("ec-2");

  final AtomicInteger asked = new AtomicInteger();
  final List<JWK> published = new ArrayList<>(List.of(RSA, EC));
  volatile String document = "";
  volatile int status = 200;
  private final HttpServer server;

  IdentityProvider() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    server.createContext(
        "/keys",
        exchange -> {
          asked.incrementAndGet();
          byte[] body = document().getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().set("Location", "/elsewhere");
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  private String document() {
    return document.isEmpty() ? new JWKSet(published).toString(true) : document;
  }

  TokenSettings settings() {
    return settings(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/keys"));
  }

  static TokenSettings settings(URI keys) {
    return new TokenSettings(
        keys,
        ISSUER,
        AUDIENCE,
        Set.of("RS256", "ES256", "EdDSA"),
        "roles",
        "tenant",
        Duration.ofSeconds(300),
        Duration.ofSeconds(30));
  }

  /** The claims of an operator who may see all tenants, good for ten minutes. */
  static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .subject("ada@example")
        .expirationTime(Date.from(FakeClock.START.plusSeconds(600)))
        .claim("roles", List.of("operator"));
  }

  static String token(JWTClaimsSet claims) {
    return token(EC, claims);
  }

  static String token(JWK key, JWTClaimsSet claims) {
    JWSAlgorithm algorithm = key instanceof RSAKey ? JWSAlgorithm.RS256 : JWSAlgorithm.ES256;
    return token(
        new JWSHeader.Builder(algorithm).type(JOSEObjectType.JWT).keyID(key.getKeyID()).build(),
        key,
        claims);
  }

  static String token(JWSHeader header, JWK key, JWTClaimsSet claims) {
    try {
      SignedJWT jwt = new SignedJWT(header, claims);
      jwt.sign(signer(key));
      return jwt.serialize();
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static JWSSigner signer(JWK key) throws JOSEException {
    return key instanceof RSAKey rsa
        ? new RSASSASigner(rsa.toRSAPrivateKey(), Set.of(AllowWeakRSAKey.getInstance()))
        : new ECDSASigner(key.toECKey());
  }

  private static RSAKey rsa(String id, int bits) {
    try {
      return new RSAKeyGenerator(bits, true).keyID(id).generate();
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static ECKey ec(String id) {
    try {
      return new ECKeyGenerator(Curve.P_256).keyID(id).generate();
    } catch (JOSEException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
