package org.aionos.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signed calls of the echo tool, as bytes for the wire. Made once and, where a signature must be
 * fresh, changed in place: the client shares the machine with the server and must cost little.
 *
 * <p>Not for use by two threads at once.
 */
final class Requests implements Source {

  /** How a request is signed. */
  enum Signature {
    /** Over the body; the same bytes can be sent again. */
    V1,
    /** Over the whole request, with a time and a nonce of its own. */
    V2
  }

  private static final String TENANT = "tenantA";
  private static final String SECRET = "TENANT_A_SECRET";
  private static final String AGENT = "agent://tenantA/researcher-1";
  private static final String TARGET = "/v1/syscall/tool.invoke";
  private static final int TIMESTAMP_LENGTH = 13;
  private static final int NONCE_LENGTH = 32;
  private static final int NONCE_COUNTER_LENGTH = 16;
  private static final int SIGNATURE_LENGTH = 64;
  private static final byte[] HEX = "0123456789abcdef".getBytes(US_ASCII);

  private final Signature signature;
  private final Mac mac;
  private final byte[] request;
  private final byte[] signed;
  private final int signatureAt;
  private final int timestampAt;
  private final int nonceAt;
  private final int signedTimestampAt;
  private final int signedNonceAt;
  private long count;

  /**
   * @param textLength length of the text to echo
   */
  Requests(Signature signature, int textLength) {
    this.signature = signature;
    this.mac = mac();
    byte[] body = body(textLength).getBytes(US_ASCII);
    String head =
        "POST "
            + TARGET
            + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            + "Content-Length: "
            + body.length
            + "\r\nX-Tenant-Id: "
            + TENANT
            + "\r\nX-Sig-HMAC: "
            + "0".repeat(SIGNATURE_LENGTH)
            + "\r\n";
    String stamp = "0".repeat(TIMESTAMP_LENGTH);
    String nonce = HexFormat.of().formatHex(new SecureRandom().generateSeed(NONCE_LENGTH / 2));
    if (signature == Signature.V2) {
      head +=
          "X-Sig-Version: 2\r\nX-Sig-Key: tenant-secret\r\nX-Sig-Timestamp: "
              + stamp
              + "\r\nX-Sig-Nonce: "
              + nonce
              + "\r\n";
    }
    head += "\r\n";
    this.request = new byte[head.length() + body.length];
    System.arraycopy(head.getBytes(US_ASCII), 0, request, 0, head.length());
    System.arraycopy(body, 0, request, head.length(), body.length);
    this.signatureAt = behind(head, "X-Sig-HMAC: ");
    this.timestampAt = behind(head, "X-Sig-Timestamp: ");
    this.nonceAt = behind(head, "X-Sig-Nonce: ");
    String canonical = "AION-HMAC-SHA256-V2\nPOST\n" + TARGET + "\n" + TENANT + "\ntenant-secret\n";
    this.signedTimestampAt = canonical.length();
    this.signedNonceAt = signedTimestampAt + TIMESTAMP_LENGTH + 1;
    this.signed = (canonical + stamp + "\n" + nonce + "\n" + sha256(body)).getBytes(US_ASCII);
    if (signature == Signature.V1) {
      writeHex(mac.doFinal(body), request, signatureAt);
    }
  }

  @Override
  public ByteBuffer next() {
    if (signature == Signature.V2) {
      sign();
    }
    return ByteBuffer.wrap(request);
  }

  private void sign() {
    // The kernel compares it with its own clock, so it has to be that of the wall.
    long left = System.currentTimeMillis();
    for (int at = TIMESTAMP_LENGTH - 1; at >= 0; at--, left /= 10) {
      byte digit = (byte) ('0' + left % 10);
      request[timestampAt + at] = digit;
      signed[signedTimestampAt + at] = digit;
    }
    long counter = count++;
    for (int at = NONCE_LENGTH - 1; at >= NONCE_LENGTH - NONCE_COUNTER_LENGTH; at--) {
      byte digit = HEX[(int) (counter & 0xf)];
      request[nonceAt + at] = digit;
      signed[signedNonceAt + at] = digit;
      counter >>>= 4;
    }
    writeHex(mac.doFinal(signed), request, signatureAt);
  }

  private static String body(int textLength) {
    String sentence = "The quick brown fox jumps over the lazy dog. ";
    String text = sentence.repeat(textLength / sentence.length() + 1).substring(0, textLength);
    return "{\"schema\":\"aion.syscall.v1\",\"syscall\":\"tool.invoke\",\"agent_id\":\""
        + AGENT
        + "\",\"context\":{\"task_id\":\"bench\",\"trace_id\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-"
        + "00f067aa0ba902b7-01\"},\"caps_required\":[],\"params\":{\"tool\":\"echo\",\"text\":\""
        + text
        + "\"},\"budget\":{\"latency_ms\":2000}}";
  }

  private static int behind(String text, String name) {
    return text.indexOf(name) + name.length();
  }

  private static void writeHex(byte[] bytes, byte[] to, int offset) {
    for (int i = 0; i < bytes.length; i++) {
      to[offset + 2 * i] = HEX[(bytes[i] >> 4) & 0xf];
      to[offset + 2 * i + 1] = HEX[bytes[i] & 0xf];
    }
  }

  private static String sha256(byte[] body) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
    } catch (GeneralSecurityException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private static Mac mac() {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(SECRET.getBytes(US_ASCII), "HmacSHA256"));
      return mac;
    } catch (GeneralSecurityException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
