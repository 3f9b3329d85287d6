package org.aionos.process;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable.Registration;
import org.aionos.kernel.Refused;
import org.aionos.manifest.AgentManifest;
import org.jspecify.annotations.Nullable;

/** Makes a {@link Declaration} of a registration, or says which of its fields is wrong. */
final class RegistrationCheck {

  /** What an agent without a manifest may call, policy permitting. */
  static final Set<String> DEFAULT_SYSCALLS = Set.of("tool.*", "agent.*");

  private static final int TEXT_LENGTH_MAX = 256;
  private static final int CAPABILITIES_MAX = 64;

  /** A row holds a declaration some levels down and must be read back within the depth limit. */
  private static final int DEPTH_MAX = Documents.DEPTH_MAX / 2;

  /** Each agent's declaration stays in memory; an honest one has a few kilobytes. */
  private static final int BYTES_MAX = 64 << 10;

  private RegistrationCheck() {}

  static Declaration check(Registration asked) {
    checkText("/name", asked.name());
    checkText("/version", asked.version());
    checkCapabilities(asked.capabilities());
    checkSize("/limits", asked.limits());
    AgentManifest manifest = manifest(asked.manifest());
    if (manifest != null && !manifest.version().equals(asked.version())) {
      throw invalid("/version", "must be the manifest's metadata.version, " + manifest.version());
    }
    return Declaration.of(
        asked.agent(),
        asked.name(),
        asked.version(),
        declared(asked.capabilities(), manifest),
        asked.limits(),
        manifest == null ? Map.of() : manifest.values());
  }

  private static Declared declared(
      @Nullable Set<String> capabilities, @Nullable AgentManifest manifest) {
    if (manifest == null) {
      return new Declared(capabilities == null ? Set.of() : capabilities, DEFAULT_SYSCALLS);
    }
    Set<String> both = new LinkedHashSet<>(manifest.capabilities());
    if (capabilities != null) {
      both.retainAll(capabilities);
    }
    return new Declared(both, manifest.syscalls());
  }

  private static void checkText(String pointer, String text) {
    if (text.isBlank()) {
      throw new Refused(Problem.at(pointer, Code.MISSING_FIELD, "is missing"));
    }
    if (text.length() > TEXT_LENGTH_MAX) {
      throw invalid(pointer, "must be at most " + TEXT_LENGTH_MAX + " characters long");
    }
  }

  private static void checkCapabilities(@Nullable Set<String> capabilities) {
    if (capabilities == null) {
      return;
    }
    if (capabilities.size() > CAPABILITIES_MAX) {
      throw invalid("/capabilities", "must have at most " + CAPABILITIES_MAX + " items");
    }
    int index = 0;
    for (String capability : capabilities) {
      if (!AgentManifest.isCapability(capability)) {
        throw invalid("/capabilities/" + index, "is not the name of a capability");
      }
      index++;
    }
  }

  private static @Nullable AgentManifest manifest(@Nullable Object manifest) {
    if (manifest == null) {
      return null;
    }
    try {
      Fields root = manifest instanceof String text ? yaml(text) : Fields.of(manifest, "");
      checkSize("/manifest", root.values());
      return AgentManifest.read(root);
    } catch (InvalidDocument wrong) {
      Code code =
          wrong.fault() == InvalidDocument.Fault.MISSING ? Code.MISSING_FIELD : Code.INVALID_FIELD;
      throw new Refused(Problem.at("/manifest" + wrong.pointer(), code, wrong.why()));
    }
  }

  private static Fields yaml(String text) throws InvalidDocument {
    if (text.length() > BYTES_MAX) {
      throw invalid("/manifest", "must be at most " + BYTES_MAX + " bytes long");
    }
    return Documents.yaml(text);
  }

  private static void checkSize(String pointer, Map<String, ?> values) {
    // Depth first: what writes the bytes recurses too.
    if (isDeeper(values, DEPTH_MAX)) {
      throw invalid(pointer, "must not nest deeper than " + DEPTH_MAX + " levels");
    }
    if (Documents.write(values).length > BYTES_MAX) {
      throw invalid(pointer, "must be at most " + BYTES_MAX + " bytes of JSON");
    }
  }

  private static boolean isDeeper(@Nullable Object value, int levels) {
    Collection<?> items =
        value instanceof Map<?, ?> map
            ? map.values()
            : value instanceof Collection<?> list ? list : Set.of();
    if (levels == 0) {
      return value instanceof Map || value instanceof Collection;
    }
    for (Object item : items) {
      if (isDeeper(item, levels - 1)) {
        return true;
      }
    }
    return false;
  }

  private static Refused invalid(String pointer, String message) {
    return new Refused(Problem.at(pointer, Code.INVALID_FIELD, message));
  }
}
