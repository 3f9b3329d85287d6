package org.aionos.identity;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The public keys of the identity provider, loaded when they are first needed, again when they are
 * old, and again when a token names one that is not here.
 *
 * <p>Safe for many threads. One thread loads; it may take as long as its {@link KeySource}. The
 * others wait only if they cannot go on with what there is.
 */
final class KeySet {

  private static final Logger log = LoggerFactory.getLogger(KeySet.class);

  /**
   * Anybody can send a token that names an unknown key. This bounds what that costs the provider.
   */
  private static final Duration ATTEMPT_INTERVAL_MIN = Duration.ofSeconds(10);

  /**
   * How long the last key set is good while the provider is silent: operators must get in just when
   * other things are broken, yet a key that the provider withdrew must not live for ever.
   */
  private static final Duration OUTAGE_MAX = Duration.ofHours(1);

  private static final Duration WARNING_INTERVAL_MIN = Duration.ofMinutes(1);

  /** NIST SP 800-131A admits nothing shorter. */
  private static final int RSA_BITS_MIN = 2_048;

  /** The DER head of an Ed25519 public key (RFC 8410); the 32 bytes of the key follow. */
  private static final byte[] ED25519_HEAD = HexFormat.of().parseHex("302a300506032b6570032100");

  private static final int ED25519_BYTES = 32;

  /** Where the keys are read; may take seconds. */
  @FunctionalInterface
  interface KeySource {
    byte[] read() throws IOException;
  }

  /** There is no key set to check a token against. */
  static final class Unavailable extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /** One key that a token may be signed with. */
  interface TrustedKey {
    boolean signed(JWSHeader header, byte[] text, Base64URL signature) throws JOSEException;
  }

  private record Entry(JWK described, TrustedKey key) {}

  private record Loaded(List<Entry> entries, Instant at) {}

  private final KeySource source;
  private final InstantSource clock;
  private final Duration refreshMax;

  private final ReentrantLock loading = new ReentrantLock();
  private volatile @Nullable Loaded loaded;
  private @Nullable Instant attemptedAt; // guarded by loading
  private @Nullable Instant warnedAt; // guarded by loading

  KeySet(KeySource source, InstantSource clock, Duration refreshMax) {
    this.source = source;
    this.clock = clock;
    this.refreshMax = refreshMax;
  }

  /** The keys that may have signed a token with this header; loads the set again if none may. */
  List<TrustedKey> candidates(JWSHeader header) throws Unavailable {
    Loaded seen = loaded;
    if (seen == null) {
      seen = reload(null, true);
    } else if (older(seen.at, refreshMax)) {
      seen = reload(seen, false);
    }
    List<TrustedKey> found = select(seen, header);
    return found.isEmpty() ? select(reload(seen, true), header) : found;
  }

  private static List<TrustedKey> select(Loaded from, JWSHeader header) {
    JWKMatcher matcher = JWKMatcher.forJWSHeader(header);
    List<TrustedKey> found = new ArrayList<>();
    for (Entry entry : from.entries) {
      if (matcher != null && matcher.matches(entry.described)) {
        found.add(entry.key);
      }
    }
    return found;
  }

  /**
   * @param seen what the caller cannot, or had rather not, go on with
   * @param wait whether to wait for another thread that is loading
   */
  @SuppressWarnings("ReferenceEquality") // another thread may have loaded the very same keys
  private Loaded reload(@Nullable Loaded seen, boolean wait) throws Unavailable {
    if (wait) {
      loading.lock();
    } else if (!loading.tryLock()) {
      return usable(seen);
    }
    try {
      Loaded now = loaded;
      return now == seen && mayAttempt() ? attempt(now) : usable(now);
    } finally {
      loading.unlock();
    }
  }

  private boolean mayAttempt() {
    Instant last = attemptedAt;
    return last == null || older(last, ATTEMPT_INTERVAL_MIN);
  }

  private Loaded attempt(@Nullable Loaded before) throws Unavailable {
    attemptedAt = clock.instant();
    try {
      Loaded now = new Loaded(parse(source.read()), clock.instant());
      loaded = now;
      return now;
    } catch (IOException | ParseException | RuntimeException failed) {
      warn(failed);
      return usable(before);
    }
  }

  private Loaded usable(@Nullable Loaded keys) throws Unavailable {
    if (keys == null || older(keys.at, OUTAGE_MAX)) {
      throw new Unavailable();
    }
    return keys;
  }

  private void warn(Exception failed) {
    Instant last = warnedAt;
    if (last == null || older(last, WARNING_INTERVAL_MIN)) {
      warnedAt = clock.instant();
      log.warn("key set of the identity provider could not be loaded: why={}", failed.toString());
    }
  }

  /** Also where the clock was set back: then nothing can be said of the age. */
  private boolean older(Instant than, Duration max) {
    return Duration.between(than, clock.instant()).abs().compareTo(max) >= 0;
  }

  private static List<Entry> parse(byte[] document) throws ParseException {
    List<Entry> entries = new ArrayList<>();
    for (JWK jwk : JWKSet.parse(new String(document, StandardCharsets.UTF_8)).getKeys()) {
      TrustedKey key = trustedOrNull(jwk);
      if (key == null) {
        log.warn(
            "key of the identity provider passed over: kid={} kty={}",
            jwk.getKeyID(),
            jwk.getKeyType());
      } else {
        entries.add(new Entry(jwk.toPublicJWK(), key));
      }
    }
    return List.copyOf(entries);
  }

  private static @Nullable TrustedKey trustedOrNull(JWK jwk) {
    try {
      if (jwk instanceof RSAKey rsa && rsa.size() >= RSA_BITS_MIN) {
        return new RSASSAVerifier(rsa.toPublicJWK())::verify;
      }
      if (jwk instanceof ECKey ec) {
        return new ECDSAVerifier(ec.toPublicJWK())::verify;
      }
      if (jwk instanceof OctetKeyPair pair && Curve.Ed25519.equals(pair.getCurve())) {
        return ed25519(pair.getX().decode());
      }
      return null;
    } catch (JOSEException | GeneralSecurityException unusable) {
      return null;
    }
  }

  /** The library would want another one for this, which the JDK can do since 15. */
  private static TrustedKey ed25519(byte[] raw) throws GeneralSecurityException {
    if (raw.length != ED25519_BYTES) {
      throw new GeneralSecurityException("an Ed25519 key has 32 bytes");
    }
    byte[] der = new byte[ED25519_HEAD.length + ED25519_BYTES];
    System.arraycopy(ED25519_HEAD, 0, der, 0, ED25519_HEAD.length);
    System.arraycopy(raw, 0, der, ED25519_HEAD.length, ED25519_BYTES);
    PublicKey key = KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(der));
    return (header, text, signature) -> ed25519Signed(key, header, text, signature);
  }

  private static boolean ed25519Signed(
      PublicKey key, JWSHeader header, byte[] text, Base64URL signature) {
    if (!JWSAlgorithm.EdDSA.equals(header.getAlgorithm())) {
      return false;
    }
    try {
      Signature check = Signature.getInstance("Ed25519");
      check.initVerify(key);
      check.update(text);
      return check.verify(signature.decode());
    } catch (GeneralSecurityException malformed) {
      return false;
    }
  }
}
