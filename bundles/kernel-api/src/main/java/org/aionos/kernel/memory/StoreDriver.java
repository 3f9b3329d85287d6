package org.aionos.kernel.memory;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/** Opens stores of one product. A service with the property {@value #DRIVER}. */
@ConsumerType
public interface StoreDriver {

  /** The name by which {@code config/memory.yaml} asks for it, for example {@code redis}. */
  String DRIVER = "aion.driver";

  /**
   * Opens a store of items. Does not wait for the server: whether it answers shows at the first
   * use.
   *
   * @throws IllegalArgumentException if the settings cannot be right; the message says which and
   *     holds no secret
   */
  ItemStore open(Opening opening);

  /**
   * What the operator says of a server.
   *
   * @param type of memory: {@code short}, {@code long}, {@code episodic}
   * @param url of the server; user and password may stand in it
   * @param name of the collection or bucket; empty where there is none
   * @param user null for none
   * @param secret password, secret key or API key; null for none
   * @param caFile certificates (PEM) that the server's must come from; null for those of the JVM
   * @param timeoutMax of one answer
   * @param folder of this store alone, for what must not be lost before the server has it
   */
  record Opening(
      String type,
      String url,
      String name,
      @Nullable String user,
      @Nullable String secret,
      @Nullable Path caFile,
      Duration timeoutMax,
      Path folder) {

    /** Without what is secret. */
    @Override
    public String toString() {
      return "a store of " + type + " memory";
    }
  }
}
