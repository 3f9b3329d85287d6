package org.aionos.scheduler;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.memory.StoreDriver;
import org.jspecify.annotations.Nullable;

/**
 * Where tasks are kept, as the environment and {@code store} of {@code config/scheduler.yaml} say.
 *
 * @param driver {@value #EMBEDDED}, or the name of a driver
 * @param url of the server; empty for the embedded store
 */
record StoreSettings(
    String driver,
    String url,
    @Nullable String user,
    @Nullable String secret,
    @Nullable Path caFile,
    Duration timeoutMax) {

  static final String NAME = "store";
  static final String EMBEDDED = "embedded";

  /** The driver where the environment names a server. */
  static final String REDIS = "redis";

  private static final String URL = "REDIS_URL";

  boolean isEmbedded() {
    return driver.equals(EMBEDDED);
  }

  /** Whether the environment makes this kernel a node of a cluster, wherever its tasks are. */
  static boolean isClustered(Map<String, String> environment) {
    return !environment.getOrDefault(URL, "").isEmpty();
  }

  StoreDriver.Opening opening(Path folder) {
    return new StoreDriver.Opening("tasks", url, "", user, secret, caFile, timeoutMax, folder);
  }

  /** Without what is secret. */
  @Override
  public String toString() {
    return driver;
  }

  /**
   * @param environment decides over the file about the server and its credentials; a variable that
   *     is empty says nothing
   * @throws InvalidDocument with the pointer of the setting
   * @throws IOException if a file that holds a secret cannot be read
   */
  static StoreSettings read(byte[] yaml, Map<String, String> environment)
      throws InvalidDocument, IOException {
    Map<String, String> said = new HashMap<>(environment);
    said.values().removeIf(String::isEmpty);
    Fields fields =
        Documents.yaml(yaml)
            .objectOrEmpty(NAME)
            .only("driver", "url", "user", "secret_env", "secret_file", "ca_file", "timeout_ms");
    String url = said.getOrDefault(URL, fields.text("url", ""));
    String driver = fields.text("driver", url.isEmpty() ? EMBEDDED : REDIS);
    if (!driver.equals(EMBEDDED) && url.isEmpty()) {
      throw fields.invalid("url", "the driver " + driver + " needs it, here or as " + URL);
    }
    String caFile = said.getOrDefault("REDIS_CA_FILE", fields.textOrNull("ca_file"));
    return new StoreSettings(
        driver,
        url,
        said.getOrDefault("REDIS_USER", fields.textOrNull("user")),
        secret(fields, said),
        caFile == null ? null : Path.of(caFile),
        Duration.ofMillis(fields.wholeNumber("timeout_ms", 2_000, 50, 60_000)));
  }

  private static @Nullable String secret(Fields fields, Map<String, String> environment)
      throws InvalidDocument, IOException {
    String file = fields.textOrNull("secret_file");
    if (file != null) {
      return Files.readString(Path.of(file)).strip();
    }
    String variable = fields.text("secret_env", "REDIS_PASSWORD");
    String secret = environment.get(variable);
    if (secret == null && fields.has("secret_env")) {
      throw fields.invalid("secret_env", "there is no variable " + variable);
    }
    return secret;
  }
}
