package org.aionos.policy;

import static java.util.Comparator.comparing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotLinkException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.PolicyVersions.Origin;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions on disk: a folder for each, with its files and {@code version.json}, and the link
 * {@code current} to the one in force. A version is complete or not there; one whose files are not
 * those that were stored is named as damaged and not used. Not for many threads: whoever has it
 * keeps others out.
 */
final class KeptVersions {

  private static final Logger log = LoggerFactory.getLogger(KeptVersions.class);

  static final String FOLDER = "policy_versions";
  static final String CURRENT = "current";
  private static final String ABOUT = "version.json";

  /** What stands in {@code version.json}; more is nothing that we wrote. */
  private static final long ABOUT_BYTES_MAX = 256 << 10;

  /** A made-up name has so many digits of the digest, or, should that be taken, more. */
  private static final int NAME_DIGITS = 8;

  /**
   * What is known of a version beside its files.
   *
   * @param number rises with each version that is stored
   */
  record About(
      String name,
      String sha256,
      long number,
      Instant created,
      String by,
      @Nullable String parent,
      Origin origin,
      String rationale,
      Map<String, @Nullable Object> evidence) {}

  /** A version, read and found to be what was stored. */
  record Kept(About about, PolicyDocument document) {

    String name() {
      return about.name();
    }
  }

  private final Path link;
  private final Path folder;
  private final Disk disk;
  private final Map<String, About> known = new HashMap<>();
  private final Set<String> damaged = new java.util.HashSet<>();

  KeptVersions(Path policies, Disk disk) throws IOException {
    this.link = policies.resolve(CURRENT);
    this.folder = policies.resolve(FOLDER);
    this.disk = disk;
    Files.createDirectories(folder);
    sweep(policies);
    sweep(folder);
    load();
  }

  /** What was being made when a former life ended is no version and will be none. */
  private void sweep(Path where) throws IOException {
    List<Path> left = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(where, ".*.{making,going}")) {
      entries.forEach(left::add);
    }
    for (Path each : left) {
      disk.sweep(each);
    }
  }

  private void load() throws IOException {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(folder)) {
      for (Path each : folders) {
        String name = each.getFileName().toString();
        if (PolicyDocument.isName(name) && Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS)) {
          load(name);
        } else {
          log.warn("not a version of the policy: {}", each);
        }
      }
    }
  }

  private void load(String name) {
    try {
      // Its bytes were checked when they were stored: that they are those is enough, and soon done.
      known.put(name, stored(name).about());
    } catch (InvalidDocument | IOException unusable) {
      damage(name, unusable);
    }
  }

  private void damage(String name, Exception why) {
    if (damaged.add(name)) {
      log.error("a version of the policy is damaged: version={} why={}", name, why.getMessage());
    }
  }

  /** By number, the newest first; damaged ones are not among them. */
  List<About> newestFirst() {
    return known.values().stream()
        .filter(about -> !damaged.contains(about.name()))
        .sorted(comparing(About::number).reversed())
        .toList();
  }

  Set<String> damaged() {
    return Set.copyOf(damaged);
  }

  boolean has(String name) {
    return known.containsKey(name) && !damaged.contains(name);
  }

  Optional<About> ofContent(String sha256) {
    return newestFirst().stream().filter(about -> about.sha256().equals(sha256)).findFirst();
  }

  /**
   * Reads a version and compares it with what was stored.
   *
   * @throws Refused {@code NOT_FOUND}; {@code CONFLICT} if it is damaged
   */
  Kept read(String name) {
    if (!PolicyDocument.isName(name) || !(known.containsKey(name) || damaged.contains(name))) {
      throw new Refused(Code.NOT_FOUND, "there is no version of the policy of this name");
    }
    try {
      return readWhole(name);
    } catch (InvalidDocument | InvalidPolicy | IOException unusable) {
      damage(name, unusable);
      throw new Refused(
          Code.CONFLICT,
          "the files of the version "
              + name
              + " are not those that were stored, so it cannot be used: "
              + unusable.getMessage());
    }
  }

  /** What lies on disk, and is what was stored there. */
  private record Stored(About about, Map<String, byte[]> files) {}

  private Kept readWhole(String name) throws IOException, InvalidDocument, InvalidPolicy {
    Stored stored = stored(name);
    return new Kept(stored.about(), PolicyDocument.read(stored.files()));
  }

  private Stored stored(String name) throws IOException, InvalidDocument {
    Path version = folder.resolve(name);
    About about = null;
    Map<String, byte[]> files = new TreeMap<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(version)) {
      for (Path file : entries) {
        String fileName = file.getFileName().toString();
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
          throw new IOException(fileName + " is not a file");
        }
        if (fileName.equals(ABOUT)) {
          about = about(name, bytes(file, ABOUT_BYTES_MAX));
        } else {
          files.put(fileName, bytes(file, PolicyDocument.FILE_BYTES_MAX));
        }
      }
    }
    if (about == null) {
      throw new IOException(ABOUT + " is missing");
    }
    String sha256 = PolicyDocument.sha256(files);
    if (!sha256.equals(about.sha256())) {
      throw new IOException("its SHA-256 is " + sha256 + " and was " + about.sha256());
    }
    return new Stored(about, files);
  }

  private static byte[] bytes(Path file, long bytesMax) throws IOException {
    if (Files.size(file) > bytesMax) {
      throw new IOException(file.getFileName() + " is larger than " + bytesMax + " bytes");
    }
    return Files.readAllBytes(file);
  }

  private static About about(String name, byte[] json) throws InvalidDocument {
    Fields fields = Documents.kept(json);
    if (!fields.text("version").equals(name)) {
      throw fields.invalid("version", "is of another version");
    }
    try {
      return new About(
          name,
          fields.text("sha256"),
          fields.wholeNumber("number", 0, 0, Long.MAX_VALUE),
          Instant.parse(fields.text("created")),
          fields.text("by"),
          fields.textOrNull("parent"),
          Origin.valueOf(fields.text("origin").toUpperCase(Locale.ROOT)),
          fields.text("rationale"),
          fields.objectOrEmpty("evidence").values());
    } catch (DateTimeException | IllegalArgumentException unreadable) {
      throw new InvalidDocument(
          InvalidDocument.Fault.INVALID, "", String.valueOf(unreadable.getMessage()));
    }
  }

  private static byte[] json(About about) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("version", about.name());
    values.put("sha256", about.sha256());
    values.put("number", about.number());
    values.put("created", about.created().toString());
    values.put("by", about.by());
    values.put("parent", about.parent());
    values.put("origin", about.origin().written());
    values.put("rationale", about.rationale());
    values.put("evidence", about.evidence());
    return Documents.write(values);
  }

  /**
   * Stores a version; the same files again are the version that they are already.
   *
   * @param name null for one made of the files
   * @throws Refused {@code CONFLICT} if another version has the name
   */
  About add(
      @Nullable String name,
      PolicyDocument document,
      Instant created,
      String by,
      @Nullable String parent,
      Origin origin,
      String rationale,
      Map<String, @Nullable Object> evidence)
      throws IOException {
    Optional<About> same = ofContent(document.sha256());
    if (same.isPresent()) {
      return same.get();
    }
    String free = name == null ? freeName(document) : name;
    if (known.containsKey(free) || damaged.contains(free)) {
      throw new Refused(Code.CONFLICT, "there is another version of the name " + free);
    }
    About about =
        new About(
            free,
            document.sha256(),
            known.values().stream().mapToLong(About::number).max().orElse(0) + 1,
            created,
            by,
            parent,
            origin,
            rationale,
            evidence);
    Map<String, byte[]> files = new TreeMap<>(document.files());
    files.put(ABOUT, json(about));
    disk.makeFolder(folder.resolve(free), files);
    known.put(free, about);
    return about;
  }

  private String freeName(PolicyDocument document) {
    String name = document.suggestedName(NAME_DIGITS);
    boolean taken = known.containsKey(name) || damaged.contains(name);
    return taken ? document.suggestedName(4 * NAME_DIGITS) : name;
  }

  /** What the link points to; null if it is not there, or points to no version's name. */
  @Nullable String current() {
    try {
      Path target = Files.readSymbolicLink(link);
      String name = String.valueOf(target.getFileName());
      boolean ours =
          PolicyDocument.isName(name)
              && folder.resolve(name).equals(link.resolveSibling(target).normalize());
      if (!ours) {
        log.error("the link {} does not point to a version: {}", link, target);
      }
      return ours ? name : null;
    } catch (NoSuchFileException | NotLinkException none) {
      return null;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** Makes a version the current one: from one moment to the next, whatever happens. */
  void pointTo(String name) throws IOException {
    disk.point(link, Path.of(FOLDER, name));
  }

  Path file(String version) {
    return folder.resolve(version).resolve(PolicyDocument.CAPABILITIES);
  }

  /** Takes the oldest versions away, but for these. */
  void keep(int newest, Set<String> also) {
    List<About> all = newestFirst();
    for (About about : all.subList(Math.min(newest, all.size()), all.size())) {
      if (!also.contains(about.name())) {
        try {
          disk.remove(folder.resolve(about.name()));
          known.remove(about.name());
          log.info("an old version of the policy is removed: version={}", about.name());
        } catch (IOException stays) {
          log.warn("an old version of the policy stays: version={}", about.name(), stays);
        }
      }
    }
  }
}
