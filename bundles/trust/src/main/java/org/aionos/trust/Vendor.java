package org.aionos.trust;

import java.security.GeneralSecurityException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.document.InvalidDocument.Fault;
import org.jspecify.annotations.Nullable;

/**
 * What an operator trusts one vendor with: {@code config/trust/vendors/<name>.yaml}.
 *
 * @param tools names, or beginnings of names with a {@code *} behind; none: it may sign nothing
 * @param tiers that its tools may ask for; {@code bundle} is the grant of the kernel's own process
 * @param agents whose manifests it may sign; none: no agent's
 * @param minimumVersions by tool; older ones are refused, also where they were let in before
 * @param revokedDigests of jars, whoever signed or allowed them
 */
record Vendor(
    String name,
    List<VendorKey> keys,
    Set<String> tools,
    Set<String> tiers,
    Set<String> agents,
    Map<String, ToolVersion> minimumVersions,
    Set<String> revokedDigests) {

  static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_.-]{0,62}");
  private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9._:/+=@-]{1,128}");
  private static final Pattern TOOLS = Pattern.compile("[a-z][a-z0-9_.-]{0,62}\\*?|\\*");
  private static final Pattern AGENTS = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}\\*?|\\*");
  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");
  private static final Set<String> TIERS =
      Set.of("bundle", "wasm", "rust", "exec", "python", "mcp");

  private static final int KEYS_MAX = 64;
  private static final int TOOLS_MAX = 1_000;
  private static final int REVOKED_MAX = 10_000;

  Vendor {
    keys = List.copyOf(keys);
    tools = Set.copyOf(tools);
    tiers = Set.copyOf(tiers);
    agents = Set.copyOf(agents);
    minimumVersions = Map.copyOf(minimumVersions);
    revokedDigests = Set.copyOf(revokedDigests);
  }

  /**
   * @param name which the file says too
   */
  static Vendor read(String name, byte[] yaml) throws InvalidDocument {
    Fields root = Documents.yaml(yaml).only("apiVersion", "kind", "metadata", "spec");
    Sealed.expect(root, "apiVersion", "aion.os/v1");
    Sealed.expect(root, "kind", "Vendor");
    Sealed.expect(root.object("metadata").only("name"), "name", name);
    Fields spec =
        root.object("spec")
            .only("keys", "tools", "tiers", "agents", "minimum_versions", "revoked_digests");
    List<Fields> keys = spec.list("keys");
    if (keys.size() > KEYS_MAX) {
      throw spec.invalid("keys", "must be at most " + KEYS_MAX);
    }
    List<VendorKey> read = new ArrayList<>();
    for (Fields key : keys) {
      read.add(key(name, key));
    }
    return new Vendor(
        name,
        read,
        matching(spec, "tools", TOOLS, TOOLS_MAX),
        tiers(spec),
        matching(spec, "agents", AGENTS, TOOLS_MAX),
        minimumVersions(spec),
        matching(spec, "revoked_digests", DIGEST, REVOKED_MAX));
  }

  private static VendorKey key(String vendor, Fields key) throws InvalidDocument {
    key.only("id", "pem", "not_before", "not_after", "revoked");
    String id = key.text("id");
    if (!KEY_ID.matcher(id).matches()) {
      throw key.invalid("id", "must match " + KEY_ID.pattern());
    }
    Instant from = instantOrNull(key, "not_before");
    Instant until = instantOrNull(key, "not_after");
    if (from != null && until != null && !from.isBefore(until)) {
      throw key.invalid("not_after", "must be later than not_before");
    }
    try {
      return new VendorKey(vendor, id, Pem.publicKey(key.text("pem")), from, until, revoked(key));
    } catch (GeneralSecurityException unusable) {
      throw key.invalid("pem", String.valueOf(unusable.getMessage()));
    }
  }

  /** False, true, or the day from which on it is so. */
  private static @Nullable Instant revoked(Fields key) throws InvalidDocument {
    if (key.value("revoked") instanceof Boolean revoked) {
      return revoked ? Instant.EPOCH : null;
    }
    return instantOrNull(key, "revoked");
  }

  /** A moment, or the beginning of a day in UTC. */
  private static @Nullable Instant instantOrNull(Fields fields, String name)
      throws InvalidDocument {
    String text = fields.textOrNull(name);
    if (text == null) {
      return null;
    }
    try {
      return text.contains("T")
          ? Instant.parse(text)
          : LocalDate.parse(text).atStartOfDay(ZoneOffset.UTC).toInstant();
    } catch (DateTimeException notADate) {
      throw fields.invalid(name, "must be as 2026-01-31 or 2026-01-31T12:00:00Z");
    }
  }

  private static Set<String> tiers(Fields spec) throws InvalidDocument {
    Set<String> tiers = spec.texts("tiers", TIERS.size());
    if (!TIERS.containsAll(tiers)) {
      throw spec.invalid("tiers", "must be of bundle, wasm, rust, exec, python, mcp");
    }
    return tiers;
  }

  private static Map<String, ToolVersion> minimumVersions(Fields spec) throws InvalidDocument {
    Fields minimums = spec.objectOrEmpty("minimum_versions");
    Map<String, ToolVersion> versions = new LinkedHashMap<>();
    for (String tool : minimums.names()) {
      String version = minimums.text(tool);
      if (!ToolVersion.FORM.matcher(version).matches()) {
        throw minimums.invalid(tool, "must be a version of three numbers");
      }
      versions.put(tool, ToolVersion.of(version));
    }
    return versions;
  }

  private static Set<String> matching(Fields fields, String name, Pattern form, int countMax)
      throws InvalidDocument {
    Set<String> texts = fields.texts(name, countMax);
    int index = 0;
    for (String text : texts) {
      if (!form.matcher(text).matches()) {
        throw new InvalidDocument(
            Fault.INVALID, fields.at(name) + "/" + index, "must match " + form.pattern());
      }
      index++;
    }
    return texts;
  }

  boolean maySign(String tool) {
    return isNamed(tool, tools);
  }

  boolean maySignAgent(String agent) {
    return isNamed(agent, agents);
  }

  private static boolean isNamed(String name, Set<String> granted) {
    return granted.stream()
        .anyMatch(
            allowed ->
                allowed.endsWith("*")
                    ? name.startsWith(allowed.substring(0, allowed.length() - 1))
                    : name.equals(allowed));
  }

  /** Whether a version is older than the oldest that is accepted of a tool. */
  boolean isTooOld(String tool, String version) {
    ToolVersion minimum = minimumVersions.get(tool);
    return minimum != null && ToolVersion.of(version).compareTo(minimum) < 0;
  }
}
