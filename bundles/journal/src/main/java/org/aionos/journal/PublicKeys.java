package org.aionos.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * The keys whose signatures count. Those that lie beside the journal prove no more than that nobody
 * without access to the folder changed it; a key kept elsewhere proves more. Immutable.
 */
final class PublicKeys {

  private static final String BEGIN = "-----BEGIN PUBLIC KEY-----\n";
  private static final String END = "\n-----END PUBLIC KEY-----\n";

  /** Enough to tell one key from another; the signature proves the rest. */
  private static final int ID_BYTES = 8;

  private final Map<String, PublicKey> byId = new HashMap<>();

  /** The keys that lie in a folder. */
  static PublicKeys in(Path folder) throws IOException, GeneralSecurityException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> found = Files.newDirectoryStream(folder, "checkpoint-key*.pem")) {
      found.forEach(files::add);
    }
    return of(files);
  }

  /**
   * The keys in these files.
   *
   * @throws GeneralSecurityException if one is not a key in the form that {@link #pem} writes
   */
  static PublicKeys of(List<Path> files) throws IOException, GeneralSecurityException {
    PublicKeys keys = new PublicKeys();
    for (Path file : files) {
      PublicKey key = parse(Files.readString(file, ISO_8859_1));
      keys.byId.put(id(key), key);
    }
    return keys;
  }

  /** Whether a key with this id, known here, signed the text. */
  boolean verify(String keyId, String text, String signature) {
    PublicKey key = byId.get(keyId);
    return key != null && verifies(key, text, signature);
  }

  static String pem(PublicKey key) {
    return BEGIN + Base64.getEncoder().encodeToString(key.getEncoded()) + END;
  }

  static PublicKey parse(String pem) throws GeneralSecurityException {
    if (!pem.startsWith(BEGIN)
        || !pem.endsWith(END)
        || pem.length() < BEGIN.length() + END.length()) {
      throw new GeneralSecurityException("not an X.509 public key in PEM");
    }
    try {
      byte[] encoded =
          Base64.getDecoder().decode(pem.substring(BEGIN.length(), pem.length() - END.length()));
      PublicKey key =
          KeyFactory.getInstance(SigningKey.ALGORITHM)
              .generatePublic(new X509EncodedKeySpec(encoded));
      // Base64 can be altered without a change of what it says; nothing here may be.
      if (!pem(key).equals(pem)) {
        throw new GeneralSecurityException("not the usual form of a public key");
      }
      return key;
    } catch (IllegalArgumentException notBase64) {
      throw new GeneralSecurityException("not an X.509 public key in PEM", notBase64);
    }
  }

  static String id(PublicKey key) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getEncoded());
      return HexFormat.of().formatHex(digest, 0, ID_BYTES);
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  static boolean verifies(PublicKey key, String text, String signature) {
    try {
      Signature check = Signature.getInstance(SigningKey.ALGORITHM);
      check.initVerify(key);
      check.update(text.getBytes(ISO_8859_1));
      return check.verify(HexFormat.of().parseHex(signature));
    } catch (GeneralSecurityException malformed) {
      return false;
    }
  }
}
