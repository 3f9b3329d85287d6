package org.aionos.policies;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.policy.Tuning;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/**
 * One whole version of the policy: its files, checked, and what they say. Immutable; threads may
 * share it.
 */
public final class PolicyDocument {

  /** Who may do what. A version has this one always. */
  public static final String CAPABILITIES = "agent.capabilities.yaml";

  public static final String QUOTAS = "quotas.yaml";
  public static final String SCHEDULER = "scheduler.yaml";
  public static final String MODELS = "models.yaml";
  public static final String MEMORY = "memory.yaml";
  public static final String GATES = "gates.yaml";

  /** What a version may consist of. */
  public static final List<String> FILES =
      List.of(CAPABILITIES, QUOTAS, SCHEDULER, MODELS, MEMORY, GATES);

  /** As much as the reader of YAML takes. */
  public static final int FILE_BYTES_MAX = 1 << 20;

  /** It goes over the wire, and to other nodes, as a whole. */
  public static final int BYTES_MAX = 2 << 20;

  private static final int NAME_LENGTH_MAX = 64;

  /** Leaves room for half of a digest. */
  private static final int LABEL_LENGTH_MAX = 31;

  /** A symbolic link stands under this name beside the versions. */
  private static final String RESERVED = "current";

  private static final Map<String, FileSchema> SCHEMAS = schemas();

  private final Map<String, byte[]> files;
  private final String sha256;
  private final Map<String, Fields> roots;
  private final String label;
  private final RuleBook rules;
  private final Tuning.Scheduling scheduling;
  private final Quotas quotas;
  private final ModelRules models;
  private final MemoryRules memory;
  private final Gates gates;

  private PolicyDocument(Map<String, byte[]> files, Map<String, Fields> roots)
      throws InvalidPolicy {
    this.files = files;
    this.sha256 = sha256(files);
    this.roots = roots;
    this.rules = part(CAPABILITIES, root -> RuleBook.read(root, "unnamed"), RuleBook.EMPTY);
    this.label = part(CAPABILITIES, root -> root.text("version"), "");
    this.scheduling = part(SCHEDULER, PolicyDocument::readScheduling, Tuning.Scheduling.UNSAID);
    this.quotas = part(QUOTAS, Quotas::read, Quotas.UNSAID);
    this.models = part(MODELS, ModelRules::read, ModelRules.UNSAID);
    this.memory = part(MEMORY, MemoryRules::read, MemoryRules.UNSAID);
    this.gates = part(GATES, Gates::read, Gates.USUAL);
  }

  private interface Reading<T> {
    T of(Fields root) throws InvalidDocument;
  }

  private <T> T part(String file, Reading<T> reading, T absent) throws InvalidPolicy {
    Fields root = roots.get(file);
    try {
      return root == null ? absent : reading.of(root);
    } catch (InvalidDocument invalid) {
      throw InvalidPolicy.of(file, invalid.pointer(), invalid.why());
    }
  }

  /**
   * Reads a version.
   *
   * @param files bytes by file name
   * @throws InvalidPolicy if it has files that are none of {@link #FILES}, is too large, or a file
   *     is not of its schema or says what cannot be
   */
  public static PolicyDocument read(Map<String, byte[]> files) throws InvalidPolicy {
    Map<String, byte[]> sorted = new TreeMap<>();
    List<InvalidPolicy.Fault> faults = new ArrayList<>();
    Map<String, Fields> roots = new TreeMap<>();
    checkSizes(files);
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      byte[] bytes = file.getValue().clone();
      sorted.put(file.getKey(), bytes);
      readFile(file.getKey(), bytes, roots, faults);
    }
    if (!faults.isEmpty()) {
      throw new InvalidPolicy(faults.subList(0, Math.min(faults.size(), InvalidPolicy.FAULTS_MAX)));
    }
    return new PolicyDocument(Collections.unmodifiableMap(sorted), roots);
  }

  /** As {@link #read}, of texts. */
  public static PolicyDocument ofTexts(Map<String, String> texts) throws InvalidPolicy {
    Map<String, byte[]> files = new TreeMap<>();
    texts.forEach((name, text) -> files.put(name, text.getBytes(UTF_8)));
    return read(files);
  }

  private static void checkSizes(Map<String, byte[]> files) throws InvalidPolicy {
    for (String name : files.keySet()) {
      if (!SCHEMAS.containsKey(name)) {
        throw InvalidPolicy.of(
            "",
            "",
            "a version consists of " + String.join(", ", FILES) + "; no other file is read");
      }
    }
    if (!files.containsKey(CAPABILITIES)) {
      throw InvalidPolicy.of(CAPABILITIES, "", "is missing: every version has it");
    }
    long bytes = 0;
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      bytes += file.getValue().length;
      if (file.getValue().length > FILE_BYTES_MAX) {
        throw InvalidPolicy.of(file.getKey(), "", "is larger than " + FILE_BYTES_MAX + " bytes");
      }
    }
    if (bytes > BYTES_MAX) {
      throw InvalidPolicy.of("", "", "is larger than " + BYTES_MAX + " bytes");
    }
  }

  private static void readFile(
      String name, byte[] bytes, Map<String, Fields> roots, List<InvalidPolicy.Fault> faults) {
    try {
      Fields root = Documents.yaml(bytes);
      roots.put(name, root);
      faults.addAll(requireNonNull(SCHEMAS.get(name)).faults(root));
    } catch (InvalidDocument invalid) {
      faults.add(new InvalidPolicy.Fault(name, invalid.pointer(), invalid.why()));
    }
  }

  private static Map<String, FileSchema> schemas() {
    Map<String, FileSchema> schemas = new TreeMap<>();
    FILES.forEach(file -> schemas.put(file, new FileSchema(file)));
    return Map.copyOf(schemas);
  }

  private static Tuning.Scheduling readScheduling(Fields root) throws InvalidDocument {
    Map<Tier, Integer> weights = new EnumMap<>(Tier.class);
    if (root.has("weights")) {
      Fields said = root.object("weights");
      for (Tier tier : Tier.values()) {
        weights.put(tier, (int) said.wholeNumber(tier.written(), 1, 1, 10_000));
      }
    }
    return new Tuning.Scheduling(
        Map.copyOf(weights),
        root.wholeNumberOrNull("slice_ms", 10, 86_400_000),
        root.wholeNumberOrNull("ageing_ms", 10, 86_400_000),
        root.wholeNumberOrNull("minimum_runtime_ms", 0, 600_000));
  }

  /**
   * SHA-256 over the names and bytes of all files, sorted by name, each with its length before it,
   * in hex.
   */
  public static String sha256(Map<String, byte[]> files) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      new TreeMap<>(files)
          .forEach(
              (name, bytes) -> {
                for (byte[] part : List.of(name.getBytes(UTF_8), bytes)) {
                  digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(part.length).flip());
                  digest.update(part);
                }
              });
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  /**
   * Whether a text may name a version: {@code [a-z0-9][a-z0-9._-]{0,63}} without {@code ..}, and
   * not {@code current}. Such a name is safe as a file name.
   */
  public static boolean isName(String text) {
    boolean name =
        !text.isEmpty()
            && text.length() <= NAME_LENGTH_MAX
            && !text.equals(RESERVED)
            && !text.contains("..");
    for (int i = 0; name && i < text.length(); i++) {
      char c = text.charAt(i);
      boolean letterOrDigit = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      name = letterOrDigit || (i > 0 && (c == '.' || c == '_' || c == '-'));
    }
    return name;
  }

  /**
   * A name for this version, of what its capabilities say in {@code version} and its digest.
   *
   * @param digits of the digest
   */
  public String suggestedName(int digits) {
    StringBuilder name = new StringBuilder();
    for (int i = 0; i < label.length() && name.length() < LABEL_LENGTH_MAX; i++) {
      char c = Character.toLowerCase(label.charAt(i));
      boolean kept = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      boolean mark = !name.isEmpty() && name.charAt(name.length() - 1) >= '0';
      if (kept || (mark && (c == '.' || c == '_' || c == '-'))) {
        name.append(c);
      }
    }
    return (name.isEmpty() ? "v" : name) + "-" + sha256.substring(0, digits);
  }

  /** Bytes by file name, sorted. Not to be changed. */
  public Map<String, byte[]> files() {
    return files;
  }

  /** The files as the texts that they are. */
  public Map<String, String> texts() {
    Map<String, String> texts = new TreeMap<>();
    files.forEach((name, bytes) -> texts.put(name, new String(bytes, UTF_8)));
    return texts;
  }

  /** SHA-256 over file names and bytes, in hex: what an approval is bound to. */
  public String sha256() {
    return sha256;
  }

  /** The decisions of this version. */
  public RuleBook rules(String version) {
    return rules.named(version);
  }

  RuleBook rules() {
    return rules;
  }

  public Tuning.Scheduling scheduling() {
    return scheduling;
  }

  public Tuning.Quota quota(String tenant) {
    return quotas.of(tenant);
  }

  public Tuning.Quota quota(AgentId agent) {
    return quotas.of(agent);
  }

  public Tuning.Models models(String tenant) {
    return models.of(tenant);
  }

  public Tuning.Memory memory(String tenant) {
    return memory.of(tenant);
  }

  public Gates gates() {
    return gates;
  }

  Quotas quotas() {
    return quotas;
  }

  ModelRules models() {
    return models;
  }

  MemoryRules memory() {
    return memory;
  }

  /** What a file says, as plain values; null if it is not there. */
  public @Nullable Map<String, @Nullable Object> values(String file) {
    Fields root = roots.get(file);
    return root == null ? null : root.values();
  }

  @Override
  public String toString() {
    return "PolicyDocument[" + sha256.substring(0, 8) + "]";
  }
}
