package org.aionos.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.Proxy;
import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;

final class SettingsTest {

  private static final Map<String, Object> PROVIDER =
      Map.of(
          "jwksUrl", "https://login.example/keys",
          "jwtIssuer", "https://login.example",
          "jwtAudience", "aion");

  @Test
  void by_default_there_is_no_sample_tenant_and_no_identity_provider() {
    Settings settings = settings(Map.of(), Map.of("karaf.data", "/data"));

    assertThat(settings.sampleTenant()).isFalse();
    assertThat(settings.tokens()).isNull();
    assertThat(settings.replayWindow()).hasSeconds(300);
    assertThat(settings.noncesPerTenantMax()).isEqualTo(200_000);
  }

  @Test
  void the_directory_follows_the_kernels_state() {
    assertThat(settings(Map.of(), Map.of("karaf.data", "/data")).dir())
        .isEqualTo(Path.of("/data/state/identity"));
    assertThat(settings(Map.of(), Map.of("karaf.data", "/data", "aion.state", "/state")).dir())
        .isEqualTo(Path.of("/state/identity"));
    assertThat(settings(Map.of("dir", "/own"), Map.of("aion.state", "/state")).dir())
        .isEqualTo(Path.of("/own"));
    refuses(Map.of(), Map.of(), "dir");
  }

  @Test
  void an_identity_provider_needs_a_key_set_an_issuer_and_an_audience() {
    assertThat(settings(PROVIDER, Map.of("aion.state", "/s")).tokens())
        .satisfies(
            tokens -> {
              assertThat(tokens.keys()).isEqualTo(URI.create("https://login.example/keys"));
              assertThat(tokens.algorithms()).containsExactlyInAnyOrder("RS256", "ES256", "EdDSA");
            });
    refuses(with("jwtIssuer", ""), "jwtIssuer");
    refuses(with("jwtAudience", " "), "jwtAudience");
    refuses(with("jwksFile", "/keys.json"), "jwksFile");
  }

  @Test
  void keys_do_not_travel_in_clear_over_a_network() {
    for (String url :
        new String[] {"http://login.example/keys", "ftp://x/keys", "keys", "file:/x", "http://"}) {
      refuses(with("jwksUrl", url), "jwksUrl");
    }
    settings(with("jwksUrl", "http://127.0.0.1:8080/keys"), Map.of("aion.state", "/s"));
    settings(with("jwksUrl", "http://[::1]:8080/keys"), Map.of("aion.state", "/s"));
  }

  @Test
  void neither_none_nor_a_shared_secret_is_an_algorithm() {
    for (String name : new String[] {"none", "HS256", "HS512", "rs256", ""}) {
      refuses(with("jwtAlgorithms", new String[] {"RS256", name}), "jwtAlgorithms");
    }
    refuses(with("jwtAlgorithms", new String[0]), "jwtAlgorithms");
  }

  @Test
  void numbers_have_bounds() {
    refuses(with("replayWindowSecondsMax", 0), "replayWindowSecondsMax");
    refuses(with("replayWindowSecondsMax", 3_601), "replayWindowSecondsMax");
    refuses(with("noncesPerTenantMax", 0), "noncesPerTenantMax");
    refuses(with("jwksRefreshSecondsMax", 9), "jwksRefreshSecondsMax");
    refuses(with("clockSkewSecondsMax", -1), "clockSkewSecondsMax");
  }

  private static Map<String, Object> with(String property, Object value) {
    Map<String, Object> changed = new java.util.HashMap<>(PROVIDER);
    changed.put(property, value);
    return changed;
  }

  private static void refuses(Map<String, Object> set, String property) {
    refuses(set, Map.of("aion.state", "/s"), property);
  }

  private static void refuses(
      Map<String, Object> set, Map<String, String> framework, String property) {
    assertThatThrownBy(() -> settings(set, framework))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("org.aionos.identity: " + property);
  }

  /** A configuration as the framework makes it: what is set, and defaults. */
  private static Settings settings(Map<String, Object> set, Map<String, String> framework) {
    IdentityConfig config =
        proxy(
            IdentityConfig.class,
            (proxy, method, arguments) ->
                set.getOrDefault(method.getName(), method.getDefaultValue()));
    BundleContext context =
        proxy(
            BundleContext.class,
            (proxy, method, arguments) -> framework.get((String) arguments[0]));
    return Settings.of(config, context);
  }

  private static <T> T proxy(Class<T> type, java.lang.reflect.InvocationHandler handler) {
    return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, handler));
  }
}
