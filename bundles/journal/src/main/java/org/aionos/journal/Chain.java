package org.aionos.journal;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The running hash: each record's is SHA-256 of the hash before it and its payload. Allocates
 * nothing per record. Not for use by two threads at once.
 */
final class Chain {

  private final MessageDigest sha256;
  private final byte[] head = new byte[Format.HASH_BYTES];

  Chain(String head) {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
    reset(head);
  }

  /** Moves the head over one payload. */
  void link(byte[] bytes, int offset, int length) {
    sha256.update(head);
    sha256.update(bytes, offset, length);
    try {
      sha256.digest(head, 0, head.length);
    } catch (DigestException impossible) {
      throw new IllegalStateException("the head has room for a digest", impossible);
    }
  }

  void reset(String hex) {
    reset(HexFormat.of().parseHex(hex));
  }

  void reset(byte[] hash) {
    System.arraycopy(hash, 0, head, 0, head.length);
  }

  void copyHead(byte[] to, int offset) {
    System.arraycopy(head, 0, to, offset, head.length);
  }

  boolean headIs(byte[] bytes, int offset) {
    return Arrays.equals(head, 0, head.length, bytes, offset, offset + head.length);
  }

  String head() {
    return HexFormat.of().formatHex(head);
  }
}
