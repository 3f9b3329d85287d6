package org.aionos.identity;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;

/**
 * The configuration, checked: a wrong value stops the component with its name, and never becomes a
 * weaker check.
 *
 * @param clustered whether other kernels take nonces too, so that this one must not by itself
 * @param tokens null where no identity provider is configured
 */
record Settings(
    Path dir,
    boolean sampleTenant,
    Duration replayWindow,
    int noncesPerTenantMax,
    boolean clustered,
    @Nullable TokenSettings tokens) {

  /**
   * Which tokens are taken, and from whom.
   *
   * @param keys where the provider's public keys are read: {@code https:}, {@code http:} on this
   *     machine, or {@code file:}
   * @param algorithms names from RFC 7518; asymmetric only
   */
  record TokenSettings(
      URI keys,
      String issuer,
      String audience,
      Set<String> algorithms,
      String rolesClaim,
      String tenantClaim,
      Duration refreshMax,
      Duration skewMax) {

    TokenSettings {
      algorithms = Set.copyOf(algorithms);
    }
  }

  /**
   * Asymmetric only. With an HMAC algorithm the provider's public key would be the secret, and with
   * {@code none} there is no signature.
   */
  private static final Set<String> ALGORITHMS =
      Set.of(
          "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA");

  /** The variable that makes kernels the nodes of one cluster. */
  private static final String CLUSTER = "REDIS_URL";

  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

  /**
   * @throws IllegalArgumentException naming the property that is wrong
   */
  static Settings of(IdentityConfig config, BundleContext context) {
    return new Settings(
        config.dir().isBlank() ? stateDir(context).resolve("identity") : Path.of(config.dir()),
        config.sampleTenant(),
        seconds("replayWindowSecondsMax", config.replayWindowSecondsMax(), 1, 3_600),
        within("noncesPerTenantMax", config.noncesPerTenantMax(), 1, 10_000_000),
        !Objects.requireNonNullElse(System.getenv(CLUSTER), "").isEmpty(),
        tokens(config));
  }

  private static Path stateDir(BundleContext context) {
    String state = context.getProperty("aion.state");
    if (state != null && !state.isBlank()) {
      return Path.of(state);
    }
    String data = context.getProperty("karaf.data");
    if (data == null) {
      throw wrong("dir", "is empty, and neither aion.state nor karaf.data is set");
    }
    return Path.of(data, "state");
  }

  private static @Nullable TokenSettings tokens(IdentityConfig config) {
    if (config.jwksUrl().isBlank() && config.jwksFile().isBlank()) {
      return null;
    }
    return new TokenSettings(
        keys(config),
        present("jwtIssuer", config.jwtIssuer()),
        present("jwtAudience", config.jwtAudience()),
        algorithms(config.jwtAlgorithms()),
        present("jwtRolesClaim", config.jwtRolesClaim()),
        present("jwtTenantClaim", config.jwtTenantClaim()),
        seconds("jwksRefreshSecondsMax", config.jwksRefreshSecondsMax(), 10, 86_400),
        seconds("clockSkewSecondsMax", config.clockSkewSecondsMax(), 0, 300));
  }

  private static URI keys(IdentityConfig config) {
    if (config.jwksUrl().isBlank()) {
      return Path.of(config.jwksFile()).toUri();
    }
    if (!config.jwksFile().isBlank()) {
      throw wrong("jwksFile", "and jwksUrl are both set; keep one");
    }
    return url(config.jwksUrl());
  }

  private static URI url(String text) {
    URI url;
    try {
      url = new URI(text);
    } catch (URISyntaxException malformed) {
      throw wrong("jwksUrl", "is not a URL");
    }
    String host = url.getHost();
    boolean loopback = "http".equals(url.getScheme()) && host != null && LOOPBACK.contains(host);
    if (host == null || !("https".equals(url.getScheme()) || loopback)) {
      // Whoever can change the key set on its way can make himself an administrator.
      throw wrong("jwksUrl", "must be https, or http to this machine");
    }
    return url;
  }

  private static Set<String> algorithms(String[] names) {
    Set<String> algorithms = new LinkedHashSet<>(List.of(names));
    if (algorithms.isEmpty() || !ALGORITHMS.containsAll(algorithms)) {
      throw wrong("jwtAlgorithms", "must name one or more of " + ALGORITHMS);
    }
    return algorithms;
  }

  private static String present(String property, String value) {
    if (value.isBlank()) {
      throw wrong(property, "must be set where there is a key set");
    }
    return value;
  }

  private static Duration seconds(String property, int value, int min, int max) {
    return Duration.ofSeconds(within(property, value, min, max));
  }

  private static int within(String property, int value, int min, int max) {
    if (value < min || value > max) {
      throw wrong(property, "must be from " + min + " to " + max + ", not " + value);
    }
    return value;
  }

  private static IllegalArgumentException wrong(String property, String what) {
    return new IllegalArgumentException("org.aionos.identity: " + property + " " + what);
  }
}
