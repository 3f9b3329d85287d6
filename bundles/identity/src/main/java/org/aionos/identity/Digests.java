package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.random.RandomGenerator;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * SHA-256, HMAC-SHA256 and the texts they are written in.
 *
 * <p>One engine per thread, because making one costs more than using it. The thread locals hold
 * classes of the JDK only: a class of ours would keep a swapped bundle's loader alive for as long
 * as the gateway's threads live.
 */
final class Digests {

  private static final String HMAC = "HmacSHA256";
  private static final int BYTES = 32;
  private static final byte[] HEX_DIGITS = "0123456789abcdef".getBytes(UTF_8);

  private static final ThreadLocal<Mac> MACS = ThreadLocal.withInitial(Digests::newMac);
  private static final ThreadLocal<MessageDigest> SHA256S =
      ThreadLocal.withInitial(Digests::newSha256);

  private Digests() {}

  /** The key that a secret's text stands for. */
  static SecretKeySpec key(String secret) {
    return new SecretKeySpec(secret.getBytes(UTF_8), HMAC);
  }

  static byte[] hmac(SecretKeySpec key, byte[] message) {
    Mac mac = MACS.get();
    try {
      mac.init(key);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException(impossible);
    }
    return mac.doFinal(message);
  }

  static byte[] sha256(byte[] message) {
    return SHA256S.get().digest(message);
  }

  /** A fresh secret of 256 bits, in 43 url-safe characters. */
  static String randomText(RandomGenerator random) {
    return randomText(random, BYTES);
  }

  static String randomText(RandomGenerator random, int bytes) {
    byte[] chosen = new byte[bytes];
    random.nextBytes(chosen);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(chosen);
  }

  /** Writes 32 bytes as 64 lower-case digits. */
  static byte[] hex(byte[] bytes) {
    byte[] text = new byte[2 * bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      text[2 * i] = HEX_DIGITS[(bytes[i] >> 4) & 0xf];
      text[2 * i + 1] = HEX_DIGITS[bytes[i] & 0xf];
    }
    return text;
  }

  /** Reads exactly 64 digits of either case; null for anything else. */
  static byte @Nullable [] fromHex(String text) {
    if (text.length() != 2 * BYTES) {
      return null;
    }
    byte[] bytes = new byte[BYTES];
    int wrong = 0;
    for (int i = 0; i < BYTES; i++) {
      int high = digit(text.charAt(2 * i));
      int low = digit(text.charAt(2 * i + 1));
      wrong |= high | low;
      bytes[i] = (byte) (high << 4 | low);
    }
    return wrong < 0 ? null : bytes;
  }

  private static int digit(char c) {
    if (c >= '0' && c <= '9') {
      return c - '0';
    }
    int lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' && c < 0x80 ? lower - 'a' + 10 : -1;
  }

  private static Mac newMac() {
    try {
      return Mac.getInstance(HMAC);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has " + HMAC, impossible);
    }
  }

  private static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }
}
