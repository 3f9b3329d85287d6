package org.aionos.kernel;

import java.io.IOException;
import java.util.List;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.osgi.annotation.versioning.ProviderType;

/** The jar of a tool, which trust has verified and installed. */
@ProviderType
public interface ToolPackage {

  ToolManifest manifest();

  /** SHA-256 of the jar, in lower-case hex. */
  String digest();

  /**
   * All files in the jar, as {@code tools/word_count.wasm}; never absolute, never with {@code ..}.
   */
  List<String> paths();

  /**
   * Reads one file whole.
   *
   * @throws IOException also if there is none
   */
  byte[] read(String path) throws IOException;
}
