package org.aionos.trust;

import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;

/** A vendor with a key, who signs whatever the test tells it to. */
record TestVendor(String name, KeyPair pair, String keyId) {

  static TestVendor ecdsa(String name) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      return of(name, generator.generateKeyPair());
    } catch (GeneralSecurityException impossible) {
      throw new AssertionError(impossible);
    }
  }

  static TestVendor ed25519(String name) {
    try {
      return of(name, KeyPairGenerator.getInstance("Ed25519").generateKeyPair());
    } catch (GeneralSecurityException impossible) {
      throw new AssertionError(impossible);
    }
  }

  private static TestVendor of(String name, KeyPair pair) {
    return new TestVendor(name, pair, VendorKey.fingerprint(pair.getPublic()));
  }

  byte[] signs(ToolJar jar) {
    return signs(Statement.of(jar, "tool.jar", null));
  }

  byte[] signs(Statement statement) {
    try {
      return Sealed.sign(statement, keyId, pair.getPrivate());
    } catch (GeneralSecurityException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** As {@code cosign sign-blob --key} does it. */
  byte[] signsBlob(byte[] bytes) {
    try {
      Signature maker = Signature.getInstance(VendorKey.algorithm(pair.getPublic().getAlgorithm()));
      maker.initSign(pair.getPrivate());
      maker.update(bytes);
      return Base64.getEncoder().encode(maker.sign());
    } catch (GeneralSecurityException impossible) {
      throw new AssertionError(impossible);
    }
  }

  /** Its file in the trust store, with more of the key, and more of the specification. */
  String yaml(String keyMore, String specMore) {
    return """
        apiVersion: aion.os/v1
        kind: Vendor
        metadata: { name: %s }
        spec:
          keys:
            - id: "%s"
              %s
              pem: |
        %s
        %s
        """
        .formatted(
            name,
            keyId,
            keyMore.replace("\n", "\n      "),
            Pem.write(pair.getPublic()).indent(8).stripTrailing(),
            specMore.indent(2).stripTrailing());
  }
}
