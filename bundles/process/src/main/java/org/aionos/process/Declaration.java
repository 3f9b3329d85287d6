package org.aionos.process;

import static java.util.Objects.requireNonNull;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Declared;
import org.jspecify.annotations.Nullable;

/**
 * What an agent says of itself, found valid.
 *
 * @param digest SHA-256 of all the rest and of whose it is: two registrations with one digest are
 *     the same registration
 */
record Declaration(
    String name,
    String version,
    Declared declared,
    Map<String, @Nullable Object> limits,
    Map<String, @Nullable Object> manifest,
    String digest) {

  private static final int LIST_MAX = 1_000;

  Declaration {
    requireNonNull(digest, "digest");
  }

  static Declaration of(
      AgentId agent,
      String name,
      String version,
      Declared declared,
      Map<String, @Nullable Object> limits,
      Map<String, @Nullable Object> manifest) {
    Map<String, @Nullable Object> whole =
        new Declaration(name, version, declared, limits, manifest, "").values();
    whole.remove("digest");
    whole.put("agent", agent.toString());
    return new Declaration(
        name, version, declared, limits, manifest, sha256(Documents.write(sorted(whole))));
  }

  /** What this one asks for beyond another, in words; empty if it asks for no more. */
  List<String> beyond(Declaration other) {
    List<String> more = new ArrayList<>();
    for (String capability : new TreeSet<>(declared.capabilities())) {
      if (!other.declared.capabilities().contains(capability)) {
        more.add("capability " + capability);
      }
    }
    for (String syscall : new TreeSet<>(declared.syscalls())) {
      if (!Globs.cover(other.declared.syscalls(), syscall)) {
        more.add("syscall " + syscall);
      }
    }
    return more;
  }

  Map<String, @Nullable Object> values() {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("name", name);
    values.put("version", version);
    values.put("capabilities", new TreeSet<>(declared.capabilities()));
    values.put("syscalls", new TreeSet<>(declared.syscalls()));
    values.put("limits", limits);
    values.put("manifest", manifest);
    values.put("digest", digest);
    return values;
  }

  static Declaration read(Fields fields) throws InvalidDocument {
    return new Declaration(
        fields.text("name"),
        fields.text("version"),
        new Declared(fields.texts("capabilities", LIST_MAX), fields.texts("syscalls", LIST_MAX)),
        fields.objectOrEmpty("limits").values(),
        fields.objectOrEmpty("manifest").values(),
        fields.text("digest"));
  }

  /** The same value with the keys of every map in order, so that equal values give equal bytes. */
  private static Map<String, @Nullable Object> sorted(Map<?, ?> map) {
    Map<String, @Nullable Object> sorted = new TreeMap<>();
    map.forEach((key, value) -> sorted.put(String.valueOf(key), sortedValue(value)));
    return sorted;
  }

  private static @Nullable Object sortedValue(@Nullable Object value) {
    if (value instanceof Map<?, ?> map) {
      return sorted(map);
    }
    if (value instanceof Collection<?> items) {
      List<@Nullable Object> sorted = new ArrayList<>();
      items.forEach(item -> sorted.add(sortedValue(item)));
      return sorted;
    }
    return value;
  }

  private static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
