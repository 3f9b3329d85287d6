package org.aionos.manifest;

import java.util.Set;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.jspecify.annotations.Nullable;

/** Reads {@code AION-INF/tool.yml}: {@code apiVersion: aion.os/v1}, {@code kind: Tool}. */
public final class ToolManifests {

  /** Where the manifest stands in a tool jar. */
  public static final String PATH = "AION-INF/tool.yml";

  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_.-]{0,62}");
  private static final Pattern VERSION = Pattern.compile("\\d{1,5}\\.\\d{1,5}\\.\\d{1,5}");
  private static final Set<String> TIERS =
      Set.of("bundle", "wasm", "rust", "exec", "python", "mcp");
  private static final int CAPABILITIES_MAX = 64;
  private static final long TIMEOUT_MILLIS = 30_000;
  private static final long TIMEOUT_MILLIS_MAX = 600_000;
  private static final int CONCURRENCY = 64;

  private ToolManifests() {}

  public static ToolManifest read(byte[] yaml) throws InvalidDocument {
    Fields root = Documents.yaml(yaml).only("apiVersion", "kind", "metadata", "spec");
    Manifests.expect(root, "Tool");
    Fields metadata = root.object("metadata").only("name", "version", "description");
    Fields spec =
        root.object("spec")
            .only(
                "entry",
                "io",
                "capabilities_required",
                "security",
                "signatures",
                "limits",
                "idempotent");
    Fields io = spec.objectOrEmpty("io").only("input", "output");
    Fields limits = spec.objectOrEmpty("limits").only("timeout_ms", "concurrency");
    String entry = spec.text("entry");
    String tier = tier(spec, entry);
    return new ToolManifest(
        Manifests.matching(metadata, "name", NAME),
        Manifests.matching(metadata, "version", VERSION),
        metadata.text("description", ""),
        tier,
        entry.substring(tier.length() + 1),
        schema(io, "input"),
        schema(io, "output"),
        Manifests.matchingAll(
            spec, "capabilities_required", AgentManifest.CAPABILITY, CAPABILITIES_MAX),
        spec.objectOrEmpty("security").values(),
        spec.objectOrEmpty("signatures").values(),
        limits.wholeNumber("timeout_ms", TIMEOUT_MILLIS, 1, TIMEOUT_MILLIS_MAX),
        (int) limits.wholeNumber("concurrency", CONCURRENCY, 1, 1_000),
        spec.flag("idempotent", false));
  }

  private static String tier(Fields spec, String entry) throws InvalidDocument {
    int colon = entry.indexOf(':');
    String tier = colon < 0 ? "" : entry.substring(0, colon);
    if (!TIERS.contains(tier) || colon == entry.length() - 1) {
      throw spec.invalid(
          "entry", "must be <tier>:<target> with a tier of bundle, wasm, rust, exec, python, mcp");
    }
    return tier;
  }

  private static @Nullable Object schema(Fields io, String side) throws InvalidDocument {
    if (!io.has(side)) {
      return null;
    }
    Object schema = io.object(side).only("schema").value("schema");
    if (schema == null) {
      throw io.object(side).missing("schema");
    }
    return schema;
  }
}
