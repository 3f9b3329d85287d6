package org.aionos.trust;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.jspecify.annotations.Nullable;

/**
 * What a vendor signs: an in-toto statement that names the jar by its digest and says what the tool
 * in it may ask for. So a signature covers the permissions in words that a person, or a policy, can
 * read without the jar.
 *
 * @param jarName for people; nothing depends on it
 * @param toolYamlDigest of the manifest inside the jar
 * @param sbomDigest of the bill of materials in the jar, or that the vendor publishes beside it, if
 *     any
 */
record Statement(
    String jarName,
    String jarDigest,
    String tool,
    String version,
    String tier,
    Set<String> needs,
    String toolYamlDigest,
    @Nullable String sbomDigest) {

  static final String PAYLOAD_TYPE = "application/vnd.in-toto+json";
  static final String TYPE = "https://in-toto.io/Statement/v1";
  private static final String PREDICATE_TYPE = "https://aion.os/tool-permissions/v1";
  private static final int CAPABILITIES_MAX = 64;

  Statement {
    needs = Set.copyOf(needs);
  }

  static Statement of(ToolJar jar, String jarName, @Nullable String sbomDigest) {
    ToolManifest manifest = jar.manifest();
    return new Statement(
        jarName,
        jar.digest(),
        manifest.name(),
        manifest.version(),
        manifest.tier(),
        manifest.needs(),
        jar.toolYamlDigest(),
        sbomDigest);
  }

  static Statement read(byte[] json) throws InvalidDocument {
    Fields root = Documents.json(json).only("_type", "subject", "predicateType", "predicate");
    Sealed.expect(root, "_type", TYPE);
    Sealed.expect(root, "predicateType", PREDICATE_TYPE);
    List<Fields> subjects = root.list("subject");
    if (subjects.size() != 1) {
      throw root.invalid("subject", "must name one jar");
    }
    Fields subject = subjects.get(0).only("name", "digest");
    Fields predicate =
        root.object("predicate")
            .only(
                "tool",
                "version",
                "tier",
                "capabilities_required",
                "tool_yml_sha256",
                "sbom_sha256");
    return new Statement(
        subject.text("name"),
        subject.object("digest").only("sha256").text("sha256"),
        predicate.text("tool"),
        predicate.text("version"),
        predicate.text("tier"),
        predicate.texts("capabilities_required", CAPABILITIES_MAX),
        predicate.text("tool_yml_sha256"),
        predicate.textOrNull("sbom_sha256"));
  }

  byte[] json() {
    Map<String, @Nullable Object> predicate = new LinkedHashMap<>();
    predicate.put("tool", tool);
    predicate.put("version", version);
    predicate.put("tier", tier);
    predicate.put("capabilities_required", List.copyOf(new TreeSet<>(needs)));
    predicate.put("tool_yml_sha256", toolYamlDigest);
    predicate.put("sbom_sha256", sbomDigest);
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("_type", TYPE);
    root.put("subject", List.of(Map.of("name", jarName, "digest", Map.of("sha256", jarDigest))));
    root.put("predicateType", PREDICATE_TYPE);
    root.put("predicate", predicate);
    return Documents.write(root);
  }

  /** Where the jar brings bills of materials, one that is signed must be of them. */
  boolean namesOtherSbom(ToolJar jar) {
    return sbomDigest != null
        && !jar.sbomDigests().isEmpty()
        && !jar.sbomDigests().contains(sbomDigest);
  }

  /** What it says otherwise than the jar itself; null if they agree. */
  @Nullable String contradicts(ToolJar jar) {
    Statement truth = of(jar, jarName, sbomDigest);
    if (!jarDigest.equals(truth.jarDigest)) {
      return "it was made for a jar with the digest " + jarDigest;
    }
    String said =
        "the signature says " + tool + "@" + version + ", tier " + tier + ", needs " + needs;
    return equals(truth) ? null : said + "; the tool.yml in the jar says otherwise";
  }
}
