package org.aionos.identity;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.aionos.identity.KeySet.KeySource;
import org.aionos.identity.KeySet.TrustedKey;
import org.aionos.identity.KeySet.Unavailable;
import org.aionos.identity.Settings.TokenSettings;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.jspecify.annotations.Nullable;

/**
 * Checks the signed tokens (JWT) of one identity provider. Nothing that a token says about how to
 * check it is believed: keys come from the provider's key set, algorithms from the configuration.
 * Safe for many threads.
 */
final class Tokens {

  /** Real ones have one or two thousand. */
  private static final int CHARACTERS_MAX = 16_384;

  /** What the journal and the console will show: bounded, with nothing that cannot be seen. */
  private static final Pattern SUBJECT = Pattern.compile("[^\\p{C}\u2028\u2029]{1,255}");

  private static final Map<String, Role> ROLES =
      Map.of("viewer", Role.VIEWER, "operator", Role.OPERATOR, "admin", Role.ADMIN);

  private final TokenSettings settings;
  private final KeySet keys;
  private final InstantSource clock;

  Tokens(TokenSettings settings, KeySource source, InstantSource clock) {
    this.settings = settings;
    this.keys = new KeySet(source, clock, settings.refreshMax());
    this.clock = clock;
  }

  Caller check(String token) {
    SignedJWT jwt = parse(token);
    requireAdmitted(jwt.getHeader());
    requireSigned(jwt);
    JWTClaimsSet claims = claims(jwt);
    requireForUs(claims);
    requireInTime(claims);
    return person(claims);
  }

  private static SignedJWT parse(String token) {
    if (token.length() > CHARACTERS_MAX) {
      throw invalid("the token is longer than " + CHARACTERS_MAX + " characters");
    }
    if (!isCanonical(token)) {
      throw invalid("the token is not base64url");
    }
    try {
      return SignedJWT.parse(token);
    } catch (ParseException | RuntimeException malformed) {
      // Also one without a signature: its algorithm, "none", is none of a signature. Some texts,
      // such as a header that is null, the library meets with a fault of its own.
      throw invalid("the token is not a signed JWT");
    }
  }

  /**
   * Whether no other text stands for the same token. The library takes {@code +} for {@code -},
   * passes over what it does not know, and looks at no bit behind the last byte.
   */
  private static boolean isCanonical(String token) {
    try {
      for (String part : token.split("\\.", -1)) {
        byte[] bytes = Base64.getUrlDecoder().decode(part);
        if (!Base64.getUrlEncoder().withoutPadding().encodeToString(bytes).equals(part)) {
          return false;
        }
      }
      return true;
    } catch (IllegalArgumentException notBase64) {
      return false;
    }
  }

  private void requireAdmitted(JWSHeader header) {
    if (!settings.algorithms().contains(header.getAlgorithm().getName())) {
      throw invalid("the token's algorithm is not one of " + settings.algorithms());
    }
    if (header.getCriticalParams() != null) {
      throw invalid("the token has critical header parameters, and we know none");
    }
    // The same provider signs logout tokens and the like for us too; they are no credentials.
    JOSEObjectType type = header.getType();
    if (type != null && !List.of("jwt", "at+jwt").contains(lower(type))) {
      throw invalid("the token's typ is neither JWT nor at+jwt");
    }
  }

  private static String lower(JOSEObjectType type) {
    return type.getType().toLowerCase(Locale.ROOT);
  }

  private void requireSigned(SignedJWT jwt) {
    List<TrustedKey> candidates;
    try {
      candidates = keys.candidates(jwt.getHeader());
    } catch (Unavailable unavailable) {
      throw invalid("the key set of the identity provider could not be loaded; retry later");
    }
    if (candidates.isEmpty()) {
      throw invalid("the identity provider has no key that this token could be signed with");
    }
    for (TrustedKey key : candidates) {
      if (signed(key, jwt)) {
        return;
      }
    }
    throw invalid("the token's signature does not match");
  }

  private static boolean signed(TrustedKey key, SignedJWT jwt) {
    try {
      return key.signed(jwt.getHeader(), jwt.getSigningInput(), jwt.getSignature());
    } catch (JOSEException | RuntimeException unfit) {
      return false;
    }
  }

  private static JWTClaimsSet claims(SignedJWT jwt) {
    try {
      return jwt.getJWTClaimsSet();
    } catch (ParseException | RuntimeException malformed) {
      throw invalid("the token's claims are malformed");
    }
  }

  private void requireForUs(JWTClaimsSet claims) {
    if (!settings.issuer().equals(claims.getIssuer())) {
      throw invalid("the token's iss is not " + settings.issuer());
    }
    if (!claims.getAudience().contains(settings.audience())) {
      throw invalid("the token's aud does not contain " + settings.audience());
    }
  }

  private void requireInTime(JWTClaimsSet claims) {
    Instant now = clock.instant();
    Duration skew = settings.skewMax();
    Date expires = claims.getExpirationTime();
    if (expires == null) {
      throw invalid("the token has no exp");
    }
    if (!now.isBefore(expires.toInstant().plus(skew))) {
      throw invalid("the token has expired");
    }
    Date notBefore = claims.getNotBeforeTime();
    if (notBefore != null && now.isBefore(notBefore.toInstant().minus(skew))) {
      throw invalid("the token is not valid yet");
    }
  }

  private Caller person(JWTClaimsSet claims) {
    String subject = claims.getSubject();
    if (subject == null
        || !SUBJECT.matcher(subject).matches()
        || subject.equals(BootstrapToken.SUBJECT)) {
      throw invalid("the token needs a sub of 1 to 255 characters that can be printed");
    }
    return Caller.person(subject, role(claims), tenant(claims));
  }

  private Role role(JWTClaimsSet claims) {
    Object claim = claims.getClaim(settings.rolesClaim());
    Collection<?> names =
        claim instanceof Collection<?> many ? many : List.of(String.valueOf(claim));
    Role highest = null;
    for (Object name : names) {
      Role role = name instanceof String text ? ROLES.get(text) : null;
      if (role != null && (highest == null || role.compareTo(highest) > 0)) {
        highest = role;
      }
    }
    if (highest == null) {
      throw new Refused(
          Code.ROLE_REQUIRED,
          "the token's claim " + settings.rolesClaim() + " lists none of viewer, operator, admin");
    }
    return highest;
  }

  /** Null for all tenants, but only where the claim is absent: a broken limit is not no limit. */
  private @Nullable String tenant(JWTClaimsSet claims) {
    if (!claims.getClaims().containsKey(settings.tenantClaim())) {
      return null;
    }
    Object claim = claims.getClaim(settings.tenantClaim());
    if (claim instanceof String name && AgentId.isName(name)) {
      return name;
    }
    throw invalid("the token's claim " + settings.tenantClaim() + " is not the name of a tenant");
  }

  private static Refused invalid(String why) {
    return new Refused(Code.INVALID_TOKEN, why);
  }
}
