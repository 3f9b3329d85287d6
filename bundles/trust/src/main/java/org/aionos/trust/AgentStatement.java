package org.aionos.trust;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.manifest.AgentManifest;

/**
 * What a vendor signs of an agent: an in-toto statement that names the manifest by its digest, and
 * says in words what it asks for.
 */
record AgentStatement(String digest, String agent, String version, Set<String> capabilities) {

  private static final String PREDICATE_TYPE = "https://aion.os/agent-manifest/v1";
  private static final int CAPABILITIES_MAX = 64;

  AgentStatement {
    capabilities = Set.copyOf(capabilities);
  }

  static AgentStatement of(byte[] manifest) throws InvalidDocument {
    AgentManifest read = AgentManifest.read(Documents.yaml(manifest));
    return new AgentStatement(
        ToolJar.digestOf(manifest), read.name(), read.version(), read.capabilities());
  }

  static AgentStatement read(byte[] json) throws InvalidDocument {
    Fields root = Documents.json(json).only("_type", "subject", "predicateType", "predicate");
    Sealed.expect(root, "_type", Statement.TYPE);
    Sealed.expect(root, "predicateType", PREDICATE_TYPE);
    List<Fields> subjects = root.list("subject");
    if (subjects.size() != 1) {
      throw root.invalid("subject", "must name one manifest");
    }
    Fields subject = subjects.get(0).only("name", "digest");
    Fields predicate = root.object("predicate").only("agent", "version", "capabilities");
    return new AgentStatement(
        subject.object("digest").only("sha256").text("sha256"),
        predicate.text("agent"),
        predicate.text("version"),
        predicate.texts("capabilities", CAPABILITIES_MAX));
  }

  /**
   * @param fileName for people; nothing depends on it
   */
  byte[] json(String fileName) {
    Map<String, Object> predicate = new LinkedHashMap<>();
    predicate.put("agent", agent);
    predicate.put("version", version);
    predicate.put("capabilities", List.copyOf(new TreeSet<>(capabilities)));
    Map<String, Object> root = new LinkedHashMap<>();
    root.put("_type", Statement.TYPE);
    root.put("subject", List.of(Map.of("name", fileName, "digest", Map.of("sha256", digest))));
    root.put("predicateType", PREDICATE_TYPE);
    root.put("predicate", predicate);
    return Documents.write(root);
  }
}
