package org.aionos.journal;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of a signed file: {@code {<body>,"key":"<id>","sig":"<hex>"}}. The signature covers the
 * very bytes before {@code ,"sig"}, so that no two lines say the same.
 *
 * @param body the fields, as they stand in the line
 */
record SignedLine(String body, String keyId, String signature) {

  private static final Pattern LINE =
      Pattern.compile("\\{(.*),\"key\":\"([0-9a-f]{16})\",\"sig\":\"([0-9a-f]{128})\"}");

  static SignedLine of(String body, SigningKey key) {
    return new SignedLine(body, key.id(), key.sign(signed(body, key.id())));
  }

  static Optional<SignedLine> parse(String line) {
    Matcher parts = LINE.matcher(line);
    return parts.matches()
        ? Optional.of(new SignedLine(parts.group(1), parts.group(2), parts.group(3)))
        : Optional.empty();
  }

  boolean isSignedBy(PublicKeys keys) {
    return keys.verify(keyId, signed(body, keyId), signature);
  }

  @Override
  public String toString() {
    return signed(body, keyId) + ",\"sig\":\"" + signature + "\"}";
  }

  private static String signed(String body, String keyId) {
    return "{" + body + ",\"key\":\"" + keyId + "\"";
  }
}
