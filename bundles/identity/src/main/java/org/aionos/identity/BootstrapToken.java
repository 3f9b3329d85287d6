package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.random.RandomGenerator;
import org.aionos.files.WholeFile;
import org.aionos.identity.CredentialStore.BootstrapDigest;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The token that the first operator finds in a file, to let in the others. Made once in the life of
 * a state directory; the kernel keeps its SHA-256 only. Safe for many threads.
 */
final class BootstrapToken {

  private static final Logger log = LoggerFactory.getLogger(BootstrapToken.class);

  static final String PREFIX = "aion_bt_";

  /** Names it in the journal; no token of an identity provider may have this subject. */
  static final String SUBJECT = "bootstrap-token";

  private final CredentialStore store;
  private final Path file;
  private volatile BootstrapDigest digest;

  private BootstrapToken(CredentialStore store, Path file, BootstrapDigest digest) {
    this.store = store;
    this.file = file;
    this.digest = digest;
  }

  /** Finds the token of a state directory; makes it if there never was one. */
  static BootstrapToken open(CredentialStore store, Path dir, RandomGenerator random)
      throws IOException {
    Path file = dir.resolve("bootstrap.token");
    BootstrapDigest known = store.bootstrap();
    if (known == null) {
      known = new BootstrapDigest(make(store, file, random), false);
    } else if (known.revoked()) {
      // A crash may have come between the revocation and this.
      Files.deleteIfExists(file);
    }
    return new BootstrapToken(store, file, known);
  }

  private static String make(CredentialStore store, Path file, RandomGenerator random)
      throws IOException {
    String token = PREFIX + Digests.randomText(random);
    String sha256 = sha256(token);
    // File first: a crash in between leaves a token that nobody honours, and the next start makes
    // another. The other way round would lock everybody out for ever.
    WholeFile.writeSecret(file, (token + "\n").getBytes(UTF_8));
    store.keepBootstrap(sha256, null);
    log.info("bootstrap operator token made: file={}", file);
    return sha256;
  }

  Caller check(String token) {
    BootstrapDigest known = digest;
    if (!MessageDigest.isEqual(known.sha256().getBytes(UTF_8), sha256(token).getBytes(UTF_8))) {
      throw new Refused(
          Code.INVALID_TOKEN, "this is not the kernel's bootstrap token; see bootstrap.token");
    }
    if (known.revoked()) {
      throw new Refused(
          Code.KEY_REVOKED, "the bootstrap token was revoked; use a token of a person or service");
    }
    return Caller.person(SUBJECT, Role.ADMIN, null);
  }

  private static String sha256(String token) {
    byte[] digest = Digests.sha256(token.getBytes(UTF_8));
    return Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
  }

  /** What other nodes know it by. */
  String sha256() {
    return digest.sha256();
  }

  boolean revoked() {
    return digest.revoked();
  }

  void revoke(Instant revokedAt) {
    store.keepBootstrap(digest.sha256(), revokedAt);
    digest = new BootstrapDigest(digest.sha256(), true);
    deleteFile();
  }

  private void deleteFile() {
    try {
      Files.deleteIfExists(file);
    } catch (IOException stays) {
      // Worth nothing from now on, and the next start tries again.
      log.warn("revoked bootstrap token could not be deleted: file={}", file, stays);
    }
  }
}
