package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Date;
import java.util.List;

/** An identity provider of our own: a key set at a URL, and tokens signed with it. */
final class IdentityProvider {

  static final String ISSUER = "https://id.example.org";
  static final String AUDIENCE = "aion-os";

  private final RSAKey key;
  private final HttpServer server;

  IdentityProvider() {
    try {
      key = new RSAKeyGenerator(2048).keyID("k1").generate();
      byte[] keys = new JWKSet(key).toString(true).getBytes(UTF_8);
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.createContext(
          "/jwks.json",
          exchange -> {
            exchange.getResponseHeaders().add("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, keys.length);
            exchange.getResponseBody().write(keys);
            exchange.close();
          });
      server.start();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (JOSEException failed) {
      throw new IllegalStateException(failed);
    }
  }

  String keySetUrl() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/jwks.json";
  }

  Signer person(String role) {
    return Signer.bearer(signed(claims(role).build(), key));
  }

  Signer personOf(String tenant, String role) {
    return Signer.bearer(signed(claims(role).claim("tenant", tenant).build(), key));
  }

  Signer expired(String role) {
    Date past = Date.from(Instant.now().minusSeconds(3_600));
    return Signer.bearer(signed(claims(role).expirationTime(past).build(), key));
  }

  Signer forAnotherAudience(String role) {
    return Signer.bearer(signed(claims(role).audience("somebody-else").build(), key));
  }

  /** As the provider would sign it, but with a key that is not the provider's. */
  static Signer forged(String role) {
    try {
      return Signer.bearer(
          signed(claims(role).build(), new RSAKeyGenerator(2048).keyID("k1").generate()));
    } catch (JOSEException failed) {
      throw new IllegalStateException(failed);
    }
  }

  private static JWTClaimsSet.Builder claims(String role) {
    return new JWTClaimsSet.Builder()
        .issuer(ISSUER)
        .audience(AUDIENCE)
        .subject("somebody-" + role)
        .issueTime(Date.from(Instant.now()))
        .expirationTime(Date.from(Instant.now().plusSeconds(3_600)))
        .claim("roles", List.of(role));
  }

  private static String signed(JWTClaimsSet claims, RSAKey with) {
    try {
      SignedJWT token =
          new SignedJWT(
              new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(with.getKeyID()).build(), claims);
      token.sign(new RSASSASigner(with));
      return token.serialize();
    } catch (JOSEException failed) {
      throw new IllegalStateException(failed);
    }
  }
}
