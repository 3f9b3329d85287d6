package org.aionos.trust;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.document.InvalidDocument.Fault;
import org.jspecify.annotations.Nullable;

/**
 * A signature as it came beside a jar, taken apart and not yet believed: a sigstore bundle with a
 * DSSE envelope, or the bare base64 of {@code cosign sign-blob}.
 *
 * @param keyId which key the signer says it was; null where the form does not tell
 * @param message the bytes that are signed
 * @param payload the statement inside the message; null for a bare signature, which covers the jar
 *     alone
 */
record Sealed(@Nullable String keyId, byte[] message, byte[] signature, byte @Nullable [] payload) {

  /** What `aion sign` adds to the name of a jar. */
  static final String BUNDLE_SUFFIX = ".sigstore.json";

  static final String BARE_SUFFIX = ".sig";

  private static final String MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";

  /** Ours have about 1.5 KiB; those with entries of a transparency log, some more. */
  static final int BYTES_MAX = 256 << 10;

  /**
   * Takes a signature apart. Base64 is accepted in its one canonical form only, so that no bit of
   * it can change unnoticed.
   */
  static Sealed read(byte[] file, byte[] jar) throws InvalidDocument {
    if (file.length > BYTES_MAX) {
      throw new InvalidDocument(Fault.INVALID, "", "longer than " + BYTES_MAX + " bytes");
    }
    if (file.length > 0 && file[0] == '{') {
      return bundle(Documents.json(file));
    }
    boolean line = file.length > 0 && file[file.length - 1] == '\n';
    String text = new String(file, 0, line ? file.length - 1 : file.length, US_ASCII);
    byte[] signature = canonical(text);
    if (signature == null || signature.length == 0) {
      throw new InvalidDocument(Fault.INVALID, "", "neither a sigstore bundle nor base64");
    }
    return new Sealed(null, jar, signature, null);
  }

  private static Sealed bundle(Fields root) throws InvalidDocument {
    root.only("mediaType", "verificationMaterial", "dsseEnvelope");
    expect(root, "mediaType", MEDIA_TYPE);
    // Log entries and timestamps may be there; we know no log, so they prove nothing to us.
    Fields material =
        root.object("verificationMaterial")
            .only("publicKey", "tlogEntries", "timestampVerificationData");
    String keyId = material.object("publicKey").only("hint").text("hint");
    Fields envelope = root.object("dsseEnvelope").only("payload", "payloadType", "signatures");
    expect(envelope, "payloadType", Statement.PAYLOAD_TYPE);
    List<Fields> signatures = envelope.list("signatures");
    if (signatures.size() != 1) {
      throw envelope.invalid("signatures", "must be one");
    }
    Fields signature = signatures.get(0).only("sig", "keyid");
    String again = signature.text("keyid", "");
    if (!again.isEmpty() && !again.equals(keyId)) {
      throw signature.invalid("keyid", "must be the hint of the public key, or empty");
    }
    byte[] payload = base64(envelope, "payload");
    return new Sealed(keyId, preAuthentication(payload), base64(signature, "sig"), payload);
  }

  /** Signs a statement; the bytes of the bundle. */
  static byte[] sign(Statement statement, String keyId, PrivateKey key)
      throws GeneralSecurityException {
    return sign(statement.json(), keyId, key);
  }

  /**
   * @param payload an in-toto statement
   */
  static byte[] sign(byte[] payload, String keyId, PrivateKey key) throws GeneralSecurityException {
    Signature maker = Signature.getInstance(VendorKey.algorithm(kind(key)));
    maker.initSign(key);
    maker.update(preAuthentication(payload));
    Base64.Encoder base64 = Base64.getEncoder();
    Map<String, Object> signature = new LinkedHashMap<>();
    signature.put("sig", base64.encodeToString(maker.sign()));
    signature.put("keyid", keyId);
    Map<String, Object> envelope = new LinkedHashMap<>();
    envelope.put("payload", base64.encodeToString(payload));
    envelope.put("payloadType", Statement.PAYLOAD_TYPE);
    envelope.put("signatures", List.of(signature));
    Map<String, Object> bundle = new LinkedHashMap<>();
    bundle.put("mediaType", MEDIA_TYPE);
    bundle.put("verificationMaterial", Map.of("publicKey", Map.of("hint", keyId)));
    bundle.put("dsseEnvelope", envelope);
    return Documents.write(bundle);
  }

  private static String kind(PrivateKey key) {
    return key.getAlgorithm().equals("EC") ? "EC" : "Ed25519";
  }

  /** DSSE's PAE: lengths in front, so that type and payload cannot flow into each other. */
  static byte[] preAuthentication(byte[] payload) {
    byte[] type = Statement.PAYLOAD_TYPE.getBytes(UTF_8);
    ByteArrayOutputStream message = new ByteArrayOutputStream();
    message.writeBytes(("DSSEv1 " + type.length + " ").getBytes(US_ASCII));
    message.writeBytes(type);
    message.writeBytes((" " + payload.length + " ").getBytes(US_ASCII));
    message.writeBytes(payload);
    return message.toByteArray();
  }

  private static byte[] base64(Fields fields, String name) throws InvalidDocument {
    byte[] bytes = canonical(fields.text(name));
    if (bytes == null) {
      throw fields.invalid(name, "must be base64");
    }
    return bytes;
  }

  private static byte @Nullable [] canonical(String base64) {
    byte[] given = base64.getBytes(UTF_8);
    try {
      byte[] bytes = Base64.getDecoder().decode(given);
      // The decoder takes any bits behind the last byte.
      return Arrays.equals(Base64.getEncoder().encode(bytes), given) ? bytes : null;
    } catch (IllegalArgumentException notBase64) {
      return null;
    }
  }

  static void expect(Fields fields, String name, String value) throws InvalidDocument {
    if (!fields.text(name).equals(value)) {
      throw fields.invalid(name, "must be " + value);
    }
  }
}
