package org.aionos.router;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolPackage;
import org.aionos.manifest.ToolManifests;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;

/** The jar of a tool, as the framework holds it. */
final class BundlePackage implements ToolPackage {

  private final Bundle bundle;
  private final ToolManifest manifest;

  /**
   * @throws Refused if the bundle has no valid manifest of a tool
   */
  BundlePackage(Bundle bundle) {
    this.bundle = bundle;
    try {
      this.manifest = ToolManifests.read(read(ToolManifests.PATH));
    } catch (InvalidDocument invalid) {
      throw new Refused(Code.INVALID_FIELD, ToolManifests.PATH + " " + invalid.describe());
    } catch (IOException absent) {
      throw new Refused(Code.INVALID_FIELD, String.valueOf(absent.getMessage()));
    }
  }

  static boolean isTool(Bundle bundle) {
    return bundle.getEntry(ToolManifests.PATH) != null;
  }

  @Override
  public ToolManifest manifest() {
    return manifest;
  }

  /** Trust ends the location of a tool's bundle with the digest of its jar. */
  @Override
  public String digest() {
    String location = bundle.getLocation();
    return location.substring(location.lastIndexOf('/') + 1);
  }

  @Override
  public List<String> paths() {
    List<String> paths = new ArrayList<>();
    @Nullable Enumeration<URL> entries = bundle.findEntries("/", "*", true);
    if (entries != null) {
      for (URL entry : Collections.list(entries)) {
        String path = entry.getPath().substring(1);
        if (!path.endsWith("/")) {
          paths.add(path);
        }
      }
    }
    return paths;
  }

  @Override
  public byte[] read(String path) throws IOException {
    URL entry = bundle.getEntry(path);
    if (entry == null) {
      throw new IOException("the bundle has no " + path);
    }
    try (InputStream in = entry.openStream()) {
      return in.readAllBytes();
    }
  }
}
