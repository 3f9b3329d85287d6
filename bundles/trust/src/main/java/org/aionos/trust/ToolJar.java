package org.aionos.trust;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import org.aionos.document.InvalidDocument;
import org.aionos.gate.Gate;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.manifest.ToolManifests;
import org.jspecify.annotations.Nullable;

/**
 * A tool jar, read in memory and found harmless to install: what it says of itself, and the bytes
 * that were looked at. Nothing else is ever given to the framework.
 *
 * @param digest of the bytes
 * @param toolYamlDigest of the manifest inside, which a signature names too
 * @param sbomDigests of the bills of materials inside
 */
record ToolJar(
    byte[] bytes,
    String digest,
    ToolManifest manifest,
    String toolYamlDigest,
    Set<String> sbomDigests) {

  private static final int ENTRIES_MAX = 20_000;

  private static final String MANIFEST = "META-INF/MANIFEST.MF";

  /** A bill of materials: ours, or any file where builds put theirs. */
  private static final String SBOM = "AION-INF/sbom.json";

  private static final String SBOMS = "META-INF/sbom/";

  /** Of a bill of materials; those of thousand libraries have some megabytes. */
  private static final int SBOM_BYTES_MAX = 16 << 20;

  /** Of a manifest; real ones have a few thousand. */
  private static final int TEXT_BYTES_MAX = 1 << 20;

  /** A bundle that names one of these would reach around the tool API, or into other bundles. */
  private static final String[] FORBIDDEN_HEADERS = {
    "Fragment-Host",
    "ExtensionBundle-Activator",
    "Export-Package",
    "DynamicImport-Package",
    "Require-Bundle",
    "Bundle-NativeCode"
  };

  /** By each of these the framework, or an extender, would run code of the jar. */
  private static final String[] CODE_HEADERS = {
    "Bundle-Activator", "Bundle-ClassPath", "Service-Component", "Import-Package"
  };

  /**
   * Reads a jar.
   *
   * @throws Refused {@code INVALID_FIELD} with the reason
   */
  static ToolJar read(byte[] bytes, long bytesMax) {
    if (bytes.length > bytesMax) {
      throw refused("it has more than " + bytesMax + " bytes");
    }
    try {
      return read(bytes, new Contents(bytesMax * 4));
    } catch (IOException unreadable) {
      throw refused("it is not a jar: " + unreadable.getMessage());
    } catch (IllegalArgumentException malformed) {
      throw refused("it is not a jar that can be read");
    }
  }

  private static ToolJar read(byte[] bytes, Contents contents) throws IOException {
    contents.read(bytes);
    byte[] toolYaml = contents.toolYaml;
    if (toolYaml == null) {
      throw refused("it has no " + ToolManifests.PATH);
    }
    try {
      ToolManifest manifest = ToolManifests.read(toolYaml);
      Headers headers = headers(contents.manifest);
      if (manifest.tier().equals(ToolManifest.TRUSTED)) {
        checkBundle(headers);
      } else {
        checkHoldsNoJava(manifest.tier(), headers, contents);
      }
      return new ToolJar(
          bytes, digestOf(bytes), manifest, digestOf(toolYaml), Set.copyOf(contents.sbomDigests));
    } catch (InvalidDocument invalid) {
      throw refused(ToolManifests.PATH + " " + invalid.describe());
    }
  }

  private static Headers headers(byte @Nullable [] manifest) {
    if (manifest == null) {
      // The framework installs none without.
      throw refused("it has no " + MANIFEST + "; one that says Manifest-Version: 1.0 will do");
    }
    Headers headers;
    try {
      headers = Headers.read(manifest);
    } catch (IllegalArgumentException ambiguous) {
      throw refused(String.valueOf(ambiguous.getMessage()));
    }
    for (String forbidden : FORBIDDEN_HEADERS) {
      if (headers.get(forbidden) != null) {
        throw refused("a tool may not have the header " + forbidden);
      }
    }
    return headers;
  }

  private static void checkBundle(Headers headers) {
    String imports = String.valueOf(headers.get("Import-Package"));
    if (imports.contains("org.aionos.kernel")) {
      throw refused("a tool may not import org.aionos.kernel; org.aionos.tool is its whole world");
    }
    if (imports.contains("org.osgi.framework") || imports.contains("org.aionos.gate")) {
      throw refused(
          "a tool may not import the framework or its gate: it could reach other bundles");
    }
    for (String generic : new String[] {"Require-Capability", "Provide-Capability"}) {
      if (String.valueOf(headers.get(generic)).contains("osgi.wiring.")) {
        throw refused("a tool may not name packages or bundles in " + generic);
      }
    }
    String header = headers.get("Bundle-SymbolicName");
    String name = header == null ? "" : header.split(";")[0].trim();
    if (name.isEmpty()) {
      throw refused("it is not a bundle: it has no Bundle-SymbolicName");
    }
    if (name.startsWith("org.aionos.") && !name.startsWith("org.aionos.tool.")) {
      throw refused("the symbolic name " + name + " belongs to the kernel");
    }
  }

  /** What is to run behind a boundary must not have a way to run in front of it. */
  private static void checkHoldsNoJava(String tier, Headers headers, Contents contents) {
    for (String code : CODE_HEADERS) {
      if (headers.get(code) != null) {
        throw refused("a tool of the tier " + tier + " may not have the header " + code);
      }
    }
    if (contents.holdsClasses) {
      throw refused("a tool of the tier " + tier + " may not hold Java classes");
    }
  }

  static String digestOf(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  /** Where the framework has the bundle; the same bytes always have the same place. */
  String location() {
    return LOCATION + manifest.name() + "/" + manifest.version() + "/" + digest;
  }

  /** Begins the location of every bundle that is a tool. */
  static final String LOCATION = Gate.FOR_ONE_RUN;

  private static Refused refused(String why) {
    return new Refused(Code.INVALID_FIELD, "not a tool jar: " + why);
  }

  /** One walk through the entries, bounded in number and in bytes. */
  private static final class Contents {

    private final Set<String> names = new HashSet<>();
    private long bytesLeft;
    private byte @Nullable [] toolYaml;
    private byte @Nullable [] manifest;
    private final Set<String> sbomDigests = new HashSet<>();
    private boolean holdsClasses;

    Contents(long bytesMax) {
      this.bytesLeft = bytesMax;
    }

    void read(byte[] bytes) throws IOException {
      Archive archive = Archive.read(bytes, ENTRIES_MAX);
      for (Archive.Entry entry : archive.entries()) {
        checkName(entry.name());
        // By what it admits to, so that a bomb is refused before it goes off; unpacking checks it.
        bytesLeft -= entry.bytes();
        if (bytesLeft < 0) {
          throw refused("it unpacks to far more than a tool needs");
        }
        if (entry.name().equals(ToolManifests.PATH)) {
          toolYaml = text(archive, entry, TEXT_BYTES_MAX);
        } else if (entry.name().equals(MANIFEST)) {
          manifest = text(archive, entry, TEXT_BYTES_MAX);
        } else if (isSbom(entry.name())) {
          sbomDigests.add(digestOf(text(archive, entry, SBOM_BYTES_MAX)));
        } else {
          archive.check(entry);
        }
      }
    }

    private void checkName(String name) {
      String lower = name.toLowerCase(Locale.ROOT);
      if (name.startsWith("/") || name.contains("..") || name.contains("\\")) {
        throw refused("the entry '" + name + "' leaves the jar");
      }
      if (!names.add(lower)) {
        throw refused("the entry '" + name + "' stands twice");
      }
      for (String exact : new String[] {ToolManifests.PATH, MANIFEST}) {
        if (lower.equals(exact.toLowerCase(Locale.ROOT)) && !name.equals(exact)) {
          throw refused("the entry '" + name + "' is " + exact + " to some readers");
        }
      }
      // By it a multi-release bundle replaces headers that were looked at in its manifest.
      if (lower.startsWith("meta-inf/versions/") && lower.endsWith("/osgi-inf/manifest.mf")) {
        throw refused("it has a second manifest, " + name);
      }
      holdsClasses |= lower.endsWith(".class") || lower.endsWith(".jar");
    }

    private static boolean isSbom(String name) {
      return name.equals(SBOM) || (name.startsWith(SBOMS) && !name.endsWith("/"));
    }

    /** Keeps what is small and looked into. */
    private static byte[] text(Archive archive, Archive.Entry entry, int bytesMax)
        throws IOException {
      if (entry.bytes() > bytesMax) {
        throw refused(entry.name() + " has more than " + bytesMax + " bytes");
      }
      return archive.content(entry);
    }
  }
}
