package org.aionos.embedding;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import org.aionos.kernel.memory.Embedder;

/** The embedder that comes with the kernel, with the settings that it has by default. */
public final class Embedders {

  private Embedders() {}

  /**
   * @param folder for its native libraries
   */
  public static Embedder bundled(Path folder) throws IOException {
    EmbeddingConfig defaults =
        (EmbeddingConfig)
            Proxy.newProxyInstance(
                Embedders.class.getClassLoader(),
                new Class<?>[] {EmbeddingConfig.class},
                (proxy, method, arguments) -> method.getDefaultValue());
    return new TextEmbedder(defaults, folder, "bench", variable -> null);
  }
}
