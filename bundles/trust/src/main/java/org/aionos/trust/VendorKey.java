package org.aionos.trust;

import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A vendor's public key, and when it counts.
 *
 * @param notBefore inclusive; null: no bound
 * @param notAfter exclusive; null: no bound
 * @param revoked from when on nothing that it ever signed counts; null: not revoked
 */
record VendorKey(
    String vendor,
    String id,
    PublicKey key,
    @Nullable Instant notBefore,
    @Nullable Instant notAfter,
    @Nullable Instant revoked) {

  /** Whether this key made the signature: ECDSA over SHA-256 in DER, or Ed25519. */
  boolean made(byte[] signature, byte[] message) {
    try {
      Signature check = Signature.getInstance(algorithm(key.getAlgorithm()));
      check.initVerify(key);
      check.update(message);
      return check.verify(signature);
    } catch (GeneralSecurityException malformed) {
      return false;
    }
  }

  boolean isRevoked(Instant now) {
    return revoked != null && !now.isBefore(revoked);
  }

  /** The name under which the JDK signs with keys of a kind. */
  static String algorithm(String kind) {
    return kind.equals("EC") ? "SHA256withECDSA" : "Ed25519";
  }

  /** SHA-256 of the key's X.509 form: the id that {@code aion keygen} gives it. */
  static String fingerprint(PublicKey key) {
    return ToolJar.digestOf(key.getEncoded());
  }
}
