package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.HexFormat;
import org.aionos.files.WholeFile;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The Ed25519 key that signs checkpoints and anchors. Made at the first start; the private half is
 * readable by its owner alone. Safe for use by many threads.
 */
final class SigningKey {

  private static final Logger log = LoggerFactory.getLogger(SigningKey.class);

  static final String ALGORITHM = "Ed25519";
  static final String PRIVATE_FILE = "checkpoint-key.pk8";
  static final String PUBLIC_FILE = "checkpoint-key.pem";

  private final String id;
  private final PrivateKey key;

  private SigningKey(String id, PrivateKey key) {
    this.id = id;
    this.key = key;
  }

  /**
   * Opens the key of a folder, or makes one. A pair that cannot be used is replaced; the old public
   * half stays beside it, so that what it signed can still be checked.
   */
  static SigningKey in(Path folder) throws IOException {
    Path secret = folder.resolve(PRIVATE_FILE);
    Path shown = folder.resolve(PUBLIC_FILE);
    if (Files.exists(secret) && Files.exists(shown)) {
      try {
        PublicKey shownKey = PublicKeys.parse(Files.readString(shown, US_ASCII));
        SigningKey found = new SigningKey(PublicKeys.id(shownKey), read(secret));
        if (PublicKeys.verifies(shownKey, "probe", found.sign("probe"))) {
          return found;
        }
      } catch (GeneralSecurityException | IOException unusable) {
        log.error("journal key cannot be used, making another: file={}", secret, unusable);
      }
    }
    return make(secret, shown);
  }

  String id() {
    return id;
  }

  /** The signature of a text, in hex. */
  String sign(String text) {
    try {
      Signature signature = Signature.getInstance(ALGORITHM);
      signature.initSign(key);
      signature.update(text.getBytes(US_ASCII));
      return HexFormat.of().formatHex(signature.sign());
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK signs with Ed25519", impossible);
    }
  }

  private static PrivateKey read(Path secret) throws IOException, GeneralSecurityException {
    return KeyFactory.getInstance(ALGORITHM)
        .generatePrivate(new PKCS8EncodedKeySpec(Files.readAllBytes(secret)));
  }

  private static SigningKey make(Path secret, Path shown) throws IOException {
    if (Files.exists(shown)) {
      Files.move(shown, unusedName(shown));
    }
    KeyPair pair = generate();
    WholeFile.writeSecret(secret, pair.getPrivate().getEncoded());
    WholeFile.write(shown, PublicKeys.pem(pair.getPublic()).getBytes(US_ASCII));
    return new SigningKey(PublicKeys.id(pair.getPublic()), pair.getPrivate());
  }

  private static Path unusedName(Path shown) {
    int number = 1;
    while (Files.exists(shown.resolveSibling("checkpoint-key-" + number + ".pem"))) {
      number++;
    }
    return shown.resolveSibling("checkpoint-key-" + number + ".pem");
  }

  private static KeyPair generate() {
    try {
      return KeyPairGenerator.getInstance(ALGORITHM).generateKeyPair();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every JDK makes Ed25519 keys", impossible);
    }
  }
}
