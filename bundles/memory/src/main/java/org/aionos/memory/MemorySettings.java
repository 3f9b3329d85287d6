package org.aionos.memory;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.jspecify.annotations.Nullable;

/**
 * What {@code config/memory.yaml} and the environment say.
 *
 * @param backends by type: short, long, episodic
 * @param tenantBytesMax of all items of a tenant, of each type
 * @param tenants what differs, by tenant
 * @param undoFor how long a deleted item can be restored
 * @param sync whether a write to an embedded store survives a power loss too
 */
record MemorySettings(
    Map<String, Backend> backends,
    Collecting collecting,
    long tenantBytesMax,
    int valueBytesMax,
    Map<String, Tenant> tenants,
    Duration undoFor,
    boolean sync) {

  static final String EMBEDDED = "embedded";

  static final long TTL_SECONDS_MAX = 315_360_000;
  private static final int TENANTS_MAX = 10_000;

  /**
   * What is so if nothing is said.
   *
   * @param driver where the environment names a server
   * @param url names the variable; likewise the others
   */
  private record Standard(
      String driver, long ttlSeconds, String name, String url, String user, String secret) {}

  private static final Map<String, Standard> STANDARDS =
      Map.of(
          "short",
          new Standard("redis", 3_600, "", "REDIS_URL", "REDIS_USER", "REDIS_PASSWORD"),
          "long",
          new Standard(
              "qdrant",
              1_209_600,
              "aion_long_memory",
              "QDRANT_URL",
              "QDRANT_USER",
              "QDRANT_API_KEY"),
          "episodic",
          new Standard(
              "minio",
              259_200,
              "aion-episodic",
              "MINIO_URL",
              "MINIO_ACCESS_KEY",
              "MINIO_SECRET_KEY"));

  /**
   * Where one type of memory is kept.
   *
   * @param driver {@value #EMBEDDED}, or the name of an installed driver
   * @param name of the collection or bucket
   */
  record Backend(
      String driver,
      Duration ttl,
      String url,
      String name,
      @Nullable String user,
      @Nullable String secret,
      @Nullable Path caFile,
      Duration timeoutMax) {

    boolean isEmbedded() {
      return driver.equals(EMBEDDED);
    }

    /**
     * @throws IllegalArgumentException if a server's address is missing
     */
    Backend keptBy(String other) {
      if (!other.equals(EMBEDDED) && url.isEmpty()) {
        throw new IllegalArgumentException("the driver " + other + " needs a url");
      }
      return new Backend(other, ttl, url, name, user, secret, caFile, timeoutMax);
    }

    /** The same server's, whatever the time to live. */
    boolean isSamePlace(Backend other) {
      if (isEmbedded()) {
        return other.isEmbedded();
      }
      return equals(
          new Backend(
              other.driver,
              ttl,
              other.url,
              other.name,
              other.user,
              other.secret,
              other.caFile,
              other.timeoutMax));
    }

    /** Without what is secret. */
    @Override
    public String toString() {
      return driver;
    }
  }

  /**
   * @param adaptive whether room is made at all; else only what expired is taken away
   * @param high share of a tenant's room at which room is made
   * @param low share down to which it is made
   */
  record Collecting(boolean adaptive, double high, double low) {}

  /** Null where nothing is said. */
  record Tenant(@Nullable Long bytesMax, Map<String, Duration> ttls) {}

  long bytesMax(String tenant) {
    Tenant own = tenants.get(tenant);
    return own == null || own.bytesMax() == null ? tenantBytesMax : own.bytesMax();
  }

  Duration ttl(String type, String tenant) {
    Tenant own = tenants.get(tenant);
    Duration ttl = own == null ? null : own.ttls().get(type);
    return ttl == null ? backend(type).ttl() : ttl;
  }

  Backend backend(String type) {
    Backend backend = backends.get(type);
    if (backend == null) {
      throw new IllegalArgumentException(type);
    }
    return backend;
  }

  // --- reading --------------------------------------------------------------------------------

  /**
   * @param environment decides over the file about servers and their credentials; a variable that
   *     is empty says nothing
   * @throws InvalidDocument with the pointer of the setting
   * @throws IOException if a file that holds a secret cannot be read
   */
  static MemorySettings read(byte[] yaml, Map<String, String> environment)
      throws InvalidDocument, IOException {
    Fields root =
        Documents.yaml(yaml)
            .only("apiVersion", "kind", "backends", "gc", "limits", "tenants", "undo_s", "sync");
    expect(root, "apiVersion", "aion.os/v1");
    expect(root, "kind", "MemoryConfig");
    Map<String, String> said = new HashMap<>(environment);
    said.values().removeIf(String::isEmpty);
    Fields limits = root.objectOrEmpty("limits").only("tenant_bytes_max", "value_bytes_max");
    Fields named = root.objectOrEmpty("backends").only("short", "long", "episodic");
    Map<String, Backend> backends = new LinkedHashMap<>();
    for (Map.Entry<String, Standard> type : STANDARDS.entrySet()) {
      backends.put(
          type.getKey(), backend(type.getValue(), named.objectOrEmpty(type.getKey()), said));
    }
    return new MemorySettings(
        Map.copyOf(backends),
        collecting(root.objectOrEmpty("gc")),
        limits.wholeNumber("tenant_bytes_max", 268_435_456, 65_536, 1L << 40),
        (int) limits.wholeNumber("value_bytes_max", 262_144, 64, 1_048_576),
        tenants(root),
        Duration.ofSeconds(root.wholeNumber("undo_s", 300, 0, 2_592_000)),
        root.flag("sync", false));
  }

  private static void expect(Fields root, String name, String value) throws InvalidDocument {
    if (!root.text(name, value).equals(value)) {
      throw root.invalid(name, "must be " + value);
    }
  }

  private static Backend backend(Standard standard, Fields fields, Map<String, String> environment)
      throws InvalidDocument, IOException {
    fields.only(
        "driver",
        "ttl_s",
        "url",
        "collection",
        "bucket",
        "user",
        "secret_env",
        "secret_file",
        "ca_file",
        "timeout_ms");
    String url = environment.getOrDefault(standard.url(), fields.text("url", ""));
    String driver = fields.text("driver", url.isEmpty() ? EMBEDDED : standard.driver());
    if (!driver.equals(EMBEDDED) && url.isEmpty()) {
      throw fields.invalid(
          "url", "the driver " + driver + " needs it, here or as " + standard.url());
    }
    String user = environment.get(standard.user());
    String ca = fields.textOrNull("ca_file");
    return new Backend(
        driver,
        Duration.ofSeconds(fields.wholeNumber("ttl_s", standard.ttlSeconds(), 1, TTL_SECONDS_MAX)),
        url,
        fields.text("collection", fields.text("bucket", standard.name())),
        user == null ? fields.textOrNull("user") : user,
        secret(standard, fields, environment),
        ca == null ? null : Path.of(ca),
        Duration.ofMillis(fields.wholeNumber("timeout_ms", 2_000, 50, 60_000)));
  }

  private static @Nullable String secret(
      Standard standard, Fields fields, Map<String, String> environment)
      throws InvalidDocument, IOException {
    String file = fields.textOrNull("secret_file");
    if (file != null) {
      return Files.readString(Path.of(file)).strip();
    }
    String variable = fields.text("secret_env", standard.secret());
    String secret = environment.get(variable);
    if (secret == null && fields.has("secret_env")) {
      throw fields.invalid("secret_env", "there is no variable " + variable);
    }
    return secret;
  }

  private static Collecting collecting(Fields gc) throws InvalidDocument {
    gc.only("strategy", "watermarks");
    String strategy = gc.text("strategy", "adaptive");
    if (!Set.of("adaptive", "expired").contains(strategy)) {
      throw gc.invalid("strategy", "must be adaptive or expired");
    }
    Fields watermarks = gc.objectOrEmpty("watermarks").only("high", "low");
    double high = share(watermarks, "high", 0.85);
    double low = share(watermarks, "low", 0.60);
    if (low >= high) {
      throw watermarks.invalid("low", "must be less than high");
    }
    return new Collecting(strategy.equals("adaptive"), high, low);
  }

  private static double share(Fields watermarks, String name, double absent)
      throws InvalidDocument {
    BigDecimal share = watermarks.numberOrNull(name, 0, 1);
    if (share != null && share.signum() == 0) {
      throw watermarks.invalid(name, "must be more than 0");
    }
    return share == null ? absent : share.doubleValue();
  }

  private static Map<String, Tenant> tenants(Fields root) throws InvalidDocument {
    Map<String, Tenant> tenants = new LinkedHashMap<>();
    for (Map.Entry<String, Fields> each : root.objects("tenants").entrySet()) {
      if (!AgentId.isName(each.getKey()) || tenants.size() == TENANTS_MAX) {
        throw root.invalid("tenants", "are at most " + TENANTS_MAX + ", by their names");
      }
      Fields fields =
          each.getValue().only("tenant_bytes_max", "short_ttl_s", "long_ttl_s", "episodic_ttl_s");
      Map<String, Duration> ttls = new LinkedHashMap<>();
      for (String type : STANDARDS.keySet()) {
        Long seconds = fields.wholeNumberOrNull(type + "_ttl_s", 1, TTL_SECONDS_MAX);
        if (seconds != null) {
          ttls.put(type, Duration.ofSeconds(seconds));
        }
      }
      tenants.put(
          each.getKey(),
          new Tenant(fields.wholeNumberOrNull("tenant_bytes_max", 65_536, 1L << 40), ttls));
    }
    return tenants;
  }
}
