package org.aionos.gate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.aionos.gate.Gate.Refusal;

/**
 * One bundle as a former run of the framework left it in the cache.
 *
 * @param folder {@code bundleN}: in it {@code bundle.info}, a folder {@code data} of the bundle's
 *     own, and for each revision a folder {@code version*} with the bundle's bytes, where they came
 *     from, and what was unpacked from them
 */
record Stored(Path folder, String location) {

  private static final String BUNDLE = "bundle";
  private static final String SYSTEM_BUNDLE = "bundle0";
  private static final String REVISION = "version";
  private static final String JAR = "bundle.jar";
  private static final String ORIGIN = "revision.location";

  /** The framework reads it as it was let in. Anything else it would take from somewhere else. */
  private static final String FROM_STREAM = "inputstream:";

  static List<Stored> in(Path cache) throws IOException {
    List<Stored> bundles = new ArrayList<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, BUNDLE + "*")) {
      for (Path folder : folders) {
        if (!folder.getFileName().toString().equals(SYSTEM_BUNDLE)) {
          bundles.add(new Stored(folder, location(folder)));
        }
      }
    }
    return bundles;
  }

  /** Empty if it cannot be read: then the framework could not read it either. */
  private static String location(Path folder) throws IOException {
    Path about = folder.resolve("bundle.info");
    if (!Files.isRegularFile(about, NOFOLLOW_LINKS)) {
      return "";
    }
    List<String> lines = Files.readAllLines(about, UTF_8);
    return lines.size() < 2 ? "" : lines.get(1);
  }

  boolean isForOneRun() {
    return location.startsWith(Gate.FOR_ONE_RUN);
  }

  /** What of it is not as it was let in. */
  Stream<Refusal> faults(Admissions admissions) {
    if (isForOneRun()) {
      return Stream.empty();
    }
    List<Refusal> faults = new ArrayList<>();
    try {
      List<Path> revisions = revisions();
      if (revisions.isEmpty() || location.isEmpty()) {
        faults.add(new Refusal(folder.toString(), "", "is not a bundle"));
      }
      for (Path revision : revisions) {
        check(revision, admissions, faults);
      }
    } catch (IOException unreadable) {
      faults.add(new Refusal(location, "", "cannot be read: " + unreadable));
    }
    return faults.stream();
  }

  private void check(Path revision, Admissions admissions, List<Refusal> faults)
      throws IOException {
    Path jar = revision.resolve(JAR);
    if (!Files.isRegularFile(jar, NOFOLLOW_LINKS)
        || !Files.readString(revision.resolve(ORIGIN), UTF_8).strip().equals(FROM_STREAM)) {
      faults.add(new Refusal(location, "", "does not lie in the cache"));
      return;
    }
    String digest = Digest.of(jar);
    if (!admissions.endures(digest)) {
      faults.add(
          new Refusal(
              location,
              digest,
              "lies in the cache and is neither of the distribution nor allowed"));
    }
  }

  /** What the framework unpacked of its jar: it would use that again without looking at it. */
  void deleteUnpacked() throws IOException {
    for (Path revision : revisions()) {
      try (DirectoryStream<Path> unpacked = Files.newDirectoryStream(revision, JAR + "-*")) {
        for (Path tree : unpacked) {
          delete(tree);
        }
      }
    }
  }

  private List<Path> revisions() throws IOException {
    List<Path> revisions = new ArrayList<>();
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(folder, REVISION + "*")) {
      folders.forEach(revisions::add);
    }
    return revisions;
  }

  /** Everything of every bundle, but for the lock that the framework holds on the cache. */
  static void deleteAll(Path cache) throws IOException {
    try (DirectoryStream<Path> folders = Files.newDirectoryStream(cache, BUNDLE + "*")) {
      for (Path folder : folders) {
        delete(folder);
      }
    }
  }

  /** Follows no links. */
  static void delete(Path tree) throws IOException {
    if (!Files.exists(tree, NOFOLLOW_LINKS)) {
      return;
    }
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
