package org.aionos.trust;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.EdECKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.KeySpec;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keys as text: X.509 and PKCS#8 in PEM, of the two kinds that sign tools. */
final class Pem {

  /** The first that reads a key is its kind. */
  private static final List<String> KINDS = List.of("EC", "Ed25519");

  /** Of P-256; no other curve is that wide and comes with a name in the JDK. */
  private static final String P256 = "secp256r1";

  private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

  private Pem() {}

  static String write(PublicKey key) {
    return write("PUBLIC KEY", key.getEncoded());
  }

  static String write(PrivateKey key) {
    return write("PRIVATE KEY", key.getEncoded());
  }

  /**
   * @throws GeneralSecurityException with the reason, if it is not one ECDSA P-256 or Ed25519 key
   */
  static PublicKey publicKey(String pem) throws GeneralSecurityException {
    byte[] der = read("PUBLIC KEY", pem);
    for (String kind : KINDS) {
      PublicKey key = publicKeyOrNull(kind, new X509EncodedKeySpec(der));
      if (key != null) {
        return checked(key);
      }
    }
    throw new InvalidKeyException("it is neither an ECDSA P-256 nor an Ed25519 key");
  }

  /**
   * @throws GeneralSecurityException with the reason, which shows nothing of the key
   */
  static PrivateKey privateKey(String pem) throws GeneralSecurityException {
    byte[] der = read("PRIVATE KEY", pem);
    for (String kind : KINDS) {
      PrivateKey key = privateKeyOrNull(kind, new PKCS8EncodedKeySpec(der));
      if (key != null) {
        return checked(key);
      }
    }
    throw new InvalidKeyException("it is neither an ECDSA P-256 nor an Ed25519 key in PKCS#8");
  }

  private static @Nullable PublicKey publicKeyOrNull(String kind, KeySpec spec)
      throws GeneralSecurityException {
    try {
      return KeyFactory.getInstance(kind).generatePublic(spec);
    } catch (InvalidKeySpecException otherKind) {
      return null;
    }
  }

  private static @Nullable PrivateKey privateKeyOrNull(String kind, KeySpec spec)
      throws GeneralSecurityException {
    try {
      return KeyFactory.getInstance(kind).generatePrivate(spec);
    } catch (InvalidKeySpecException otherKind) {
      return null;
    }
  }

  private static <T extends Key> T checked(T key) throws GeneralSecurityException {
    boolean known =
        key instanceof EdECKey edwards
            ? edwards.getParams().getName().equals(NamedParameterSpec.ED25519.getName())
            : key instanceof ECKey elliptic && isP256(elliptic.getParams());
    if (!known) {
      throw new InvalidKeyException("its curve is neither P-256 nor Ed25519");
    }
    return key;
  }

  private static boolean isP256(ECParameterSpec params) throws GeneralSecurityException {
    var named = AlgorithmParameters.getInstance("EC");
    named.init(new ECGenParameterSpec(P256));
    ECParameterSpec p256 = named.getParameterSpec(ECParameterSpec.class);
    return params.getCurve().equals(p256.getCurve())
        && params.getGenerator().equals(p256.getGenerator())
        && params.getOrder().equals(p256.getOrder())
        && params.getCofactor() == p256.getCofactor();
  }

  private static String write(String kind, byte[] der) {
    return "-----BEGIN "
        + kind
        + "-----\n"
        + LINES.encodeToString(der)
        + "\n-----END "
        + kind
        + "-----\n";
  }

  private static byte[] read(String kind, String pem) throws GeneralSecurityException {
    String begin = "-----BEGIN " + kind + "-----";
    String end = "-----END " + kind + "-----";
    String text = pem.strip();
    if (!text.startsWith(begin) || !text.endsWith(end) || text.length() > 4_096) {
      throw new InvalidKeyException("it is not one PEM block " + begin);
    }
    String base64 = text.substring(begin.length(), text.length() - end.length());
    try {
      return Base64.getDecoder().decode(base64.replaceAll("\\s", "").getBytes(US_ASCII));
    } catch (IllegalArgumentException notBase64) {
      throw new InvalidKeyException("its PEM block is not base64");
    }
  }
}
