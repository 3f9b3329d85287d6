package org.aionos.brain;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.Brain;
import org.aionos.kernel.policy.PolicyVersions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Proposes without being asked, and tries what needs no operator on some tenants. What becomes of a
 * canary is not decided here: the gates of the policy do that. What was tried is not tried again
 * within a day, whatever became of it; that is remembered on disk, before it is tried.
 */
final class Rounds {

  private static final Logger log = LoggerFactory.getLogger(Rounds.class);

  /** For the record: who asked. */
  static final String BY = "brain";

  private static final Duration NOT_AGAIN = Duration.ofDays(1);

  private final Brain brain;
  private final PolicyVersions versions;
  private final boolean tries;
  private final int canaryPercent;
  private final Path file;
  private final InstantSource clock;

  /**
   * @param tries whether it also puts canaries in force
   * @param file remembers what was tried
   */
  Rounds(
      Brain brain,
      PolicyVersions versions,
      boolean tries,
      int canaryPercent,
      Path file,
      InstantSource clock) {
    this.brain = brain;
    this.versions = versions;
    this.tries = tries;
    this.canaryPercent = canaryPercent;
    this.file = file;
    this.clock = clock;
  }

  /** One round. Says what it did, for the log. */
  String round() throws InterruptedException {
    try {
      if (versions.canary().isPresent()) {
        return "waits: a version is being judged";
      }
      Brain.Proposal proposal = brain.propose(null, BY);
      String version = proposal.version();
      if (version == null) {
        return "nothing better found";
      }
      if (!tries) {
        return "proposed " + version;
      }
      if (!proposal.needsOperator().isEmpty()) {
        return "proposed " + version + ", which needs an operator";
      }
      return tried(version);
    } catch (Refused refused) {
      return "refused: " + refused.getMessage();
    } catch (IOException unwritable) {
      return "cannot remember what was tried, so nothing is: " + unwritable.getMessage();
    }
  }

  private String tried(String version) throws IOException {
    String sha256 = versions.find(version).version().sha256();
    Map<String, Instant> known = known();
    if (known.containsKey(sha256)) {
      return "proposed " + version + ", which was tried within a day";
    }
    known.put(sha256, clock.instant());
    Map<String, @Nullable Object> written = new LinkedHashMap<>();
    known.forEach((hash, at) -> written.put(hash, at.toString()));
    WholeFile.write(file, Documents.write(written));
    versions.activate(
        version, new PolicyVersions.Activation(sha256, canaryPercent, Set.of()), null);
    log.info("policy tried as a canary: version={} percent={}", version, canaryPercent);
    return "tries " + version;
  }

  private Map<String, Instant> known() throws IOException {
    Map<String, Instant> known = new LinkedHashMap<>();
    Instant since = clock.instant().minus(NOT_AGAIN);
    try {
      Documents.kept(Files.readAllBytes(file))
          .values()
          .forEach(
              (hash, at) -> {
                Instant tried = Instant.parse(String.valueOf(at));
                if (tried.isAfter(since)) {
                  known.put(hash, tried);
                }
              });
    } catch (NoSuchFileException first) {
      return known;
    } catch (InvalidDocument | java.time.DateTimeException damaged) {
      throw new IOException(file + " is damaged; remove it: " + damaged.getMessage(), damaged);
    }
    return known;
  }
}
