package org.aionos.gate;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.Queue;
import java.util.Set;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Which bytes may come in, and what became of those that may not. */
final class Admissions implements Gate {

  private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

  /** Trust vouches for one tool at a time, and uses it up at once; so these are never many. */
  private static final int VOUCHED_MAX = 1_000;

  /** Kept until trust listens: a start that goes wrong is told by its first few. */
  private static final int REFUSALS_MAX = 100;

  private final Set<String> distribution;
  private final Path allowed;

  /** Location and digest. */
  private final Set<String> vouched = new HashSet<>();

  private final Queue<Refusal> untold = new ArrayDeque<>();
  private @Nullable Consumer<Refusal> listener;

  /**
   * @param distribution what {@code sha256sum} says of the distribution's bundles
   * @param allowed the same, of bundles that an operator has allowed; there may be none
   * @throws IOException if it is not known what belongs to the distribution
   */
  Admissions(Path distribution, Path allowed) throws IOException {
    this.distribution = digests(distribution);
    if (this.distribution.isEmpty()) {
      throw new IOException(distribution + " names no bundle");
    }
    this.allowed = allowed;
  }

  /** Whether these bytes may lie in the cache: what trust vouched for does not outlive its run. */
  boolean endures(String digest) throws IOException {
    return distribution.contains(digest) || allowed(digest);
  }

  /** Whether these bytes may be installed now. */
  synchronized boolean enters(String location, String digest) throws IOException {
    return vouched.remove(key(location, digest)) || endures(digest);
  }

  @Override
  public synchronized void admit(String location, String digest) {
    if (!location.startsWith(FOR_ONE_RUN)) {
      throw new IllegalArgumentException("not a place for tools: " + location);
    }
    if (vouched.size() >= VOUCHED_MAX) {
      vouched.clear();
    }
    vouched.add(key(location, digest));
  }

  synchronized void refused(Refusal refusal) {
    if (listener != null) {
      listener.accept(refusal);
    } else if (untold.size() < REFUSALS_MAX) {
      untold.add(refusal);
    }
  }

  @Override
  public synchronized void onRefusal(@Nullable Consumer<Refusal> told) {
    listener = told;
    while (told != null && !untold.isEmpty()) {
      told.accept(untold.remove());
    }
  }

  private static String key(String location, String digest) {
    return digest + " " + location;
  }

  /** Read at every decision, so an edit counts at once. */
  private boolean allowed(String digest) throws IOException {
    try {
      return digests(allowed).contains(digest);
    } catch (NoSuchFileException none) {
      return false;
    }
  }

  private static Set<String> digests(Path file) throws IOException {
    Set<String> digests = new HashSet<>();
    for (String line : Files.readAllLines(file, UTF_8)) {
      String digest = line.strip().split("\\s+", 2)[0];
      if (DIGEST.matcher(digest).matches()) {
        digests.add(digest);
      }
    }
    return digests;
  }
}
