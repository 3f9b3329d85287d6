package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes the headers that prove who sends a request. Written from the contract, not from the SDK.
 */
interface Signer {

  SecureRandom RANDOM = new SecureRandom();

  Map<String, String> headers(String method, String target, byte[] body);

  static Signer nobody() {
    return (method, target, body) -> Map.of();
  }

  static Signer bearer(String token) {
    return (method, target, body) -> Map.of("Authorization", "Bearer " + token);
  }

  static Signer v1(String tenant, String secret) {
    return (method, target, body) ->
        Map.of("X-Tenant-Id", tenant, "X-Sig-HMAC", hmac(secret, body));
  }

  static Signer v2(String tenant, String keyId, String secret) {
    return (method, target, body) ->
        v2(tenant, keyId, secret, System.currentTimeMillis(), nonce(), method, target, body);
  }

  static Map<String, String> v2(
      String tenant,
      String keyId,
      String secret,
      long timestamp,
      String nonce,
      String method,
      String target,
      byte[] body) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("X-Tenant-Id", tenant);
    headers.put("X-Sig-Version", "2");
    headers.put("X-Sig-Key", keyId);
    headers.put("X-Sig-Timestamp", Long.toString(timestamp));
    headers.put("X-Sig-Nonce", nonce);
    headers.put(
        "X-Sig-HMAC",
        hmac(
            secret,
            canonical(method, target, tenant, keyId, Long.toString(timestamp), nonce, body)
                .getBytes(UTF_8)));
    return headers;
  }

  static String canonical(
      String method,
      String target,
      String tenant,
      String keyId,
      String timestamp,
      String nonce,
      byte[] body) {
    return String.join(
        "\n",
        "AION-HMAC-SHA256-V2",
        method,
        target,
        tenant,
        keyId,
        timestamp,
        nonce,
        HexFormat.of().formatHex(sha256(body)));
  }

  static String nonce() {
    byte[] bytes = new byte[18];
    RANDOM.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  static String hmac(String secret, byte[] text) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
      return HexFormat.of().formatHex(mac.doFinal(text));
    } catch (GeneralSecurityException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (GeneralSecurityException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
