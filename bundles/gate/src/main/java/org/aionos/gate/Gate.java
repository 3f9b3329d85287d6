package org.aionos.gate;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Lets bytes into the framework: those of the distribution, those that an operator has allowed, and
 * those that trust vouches for here. Trust alone is given this service.
 */
@ProviderType
public interface Gate {

  /**
   * Begins the location of every bundle that trust installs. Such bundles are for one run: at a
   * start the gate takes them out of the framework's cache, and trust vouches again.
   */
  String FOR_ONE_RUN = "aion:tool/";

  /**
   * Lets these bytes in at this place, once.
   *
   * @param location begins with {@link #FOR_ONE_RUN}
   * @param digest SHA-256, in lower-case hex
   */
  void admit(String location, String digest);

  /**
   * Tells of every refusal, those before included as far as nobody was told of them.
   *
   * @param listener takes the place of the one before; null: they are kept until there is one
   */
  void onRefusal(@Nullable Consumer<Refusal> listener);

  /**
   * Bytes that were not let in.
   *
   * @param location where they were to be installed, or lay in the cache
   * @param digest theirs; empty if they could not be read
   */
  record Refusal(String location, String digest, String why) {

    public String said() {
      return location + (digest.isEmpty() ? " " : ", digest " + digest + ", ") + why;
    }
  }
}
