package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** A script that the server runs, alone and whole. */
record Script(byte[] text, String digest) {

  /** Refused, before anything is done, by a server whose memory is full. */
  static Script thatGrows(String... files) {
    return of("#!lua\n", files);
  }

  /** Done by such a server too. */
  static Script thatOnlyTakes(String... files) {
    return of("#!lua flags=allow-oom\n", files);
  }

  private static Script of(String head, String... files) {
    StringBuilder text = new StringBuilder(head);
    for (String file : files) {
      text.append(read(file));
    }
    byte[] bytes = text.toString().getBytes(UTF_8);
    return new Script(bytes, sha1(bytes));
  }

  private static String read(String file) {
    try (InputStream body = Script.class.getResourceAsStream(file)) {
      return new String(body.readAllBytes(), UTF_8);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /**
   * By which the server knows a script. Of rows it only tells apart what two writers made: who
   * makes two alike loses his own.
   */
  static String sha1(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(bytes));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
