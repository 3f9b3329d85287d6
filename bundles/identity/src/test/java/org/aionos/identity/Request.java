package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.aionos.kernel.Presented;

/** A request that a test puts together; it shares no code with the kernel's signatures. */
record Request(String method, String target, byte[] body, Map<String, String> headers) {

  private static final AtomicLong NONCES = new AtomicLong();

  static Request post(String body) {
    return new Request("POST", "/v1/syscall/tool.echo", body.getBytes(UTF_8), Map.of());
  }

  static Request bearer(String token) {
    return new Request("GET", "/v1/tenants", new byte[0], Map.of())
        .with("authorization", "Bearer " + token);
  }

  Request to(String otherMethod, String otherTarget) {
    return new Request(otherMethod, otherTarget, body, headers);
  }

  Request with(String header, String value) {
    Map<String, String> more = new LinkedHashMap<>(headers);
    more.put(header, value);
    return new Request(method, target, body, more);
  }

  Request without(String header) {
    Map<String, String> fewer = new LinkedHashMap<>(headers);
    fewer.remove(header);
    return new Request(method, target, body, fewer);
  }

  Request saying(byte[] otherBody) {
    return new Request(method, target, otherBody, headers);
  }

  Request signedV1(String tenant, String secret) {
    return with("x-tenant-id", tenant).with("x-sig-hmac", hmac(secret, body));
  }

  /** Signs with version 2 and a nonce of its own. */
  Request signedV2(String tenant, String key, String secret, long timestampMillis) {
    String nonce = "nonce-" + String.format("%012d", NONCES.incrementAndGet());
    return signedV2(tenant, key, secret, timestampMillis, nonce);
  }

  Request signedV2(String tenant, String key, String secret, long timestampMillis, String nonce) {
    String text =
        String.join(
            "\n",
            "AION-HMAC-SHA256-V2",
            method,
            target,
            tenant,
            key,
            Long.toString(timestampMillis),
            nonce,
            HexFormat.of().formatHex(sha256(body)));
    return with("x-tenant-id", tenant)
        .with("x-sig-version", "2")
        .with("x-sig-key", key)
        .with("x-sig-timestamp", Long.toString(timestampMillis))
        .with("x-sig-nonce", nonce)
        .with("x-sig-hmac", hmac(secret, text.getBytes(UTF_8)));
  }

  Presented presented() {
    return new Presented(method, target, headers::get, body);
  }

  private static String hmac(String secret, byte[] message) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
      return HexFormat.of().formatHex(mac.doFinal(message));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static byte[] sha256(byte[] message) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(message);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
