package org.aionos.kernel.policy;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The versions of the policy: kept, compared, tried on some tenants, switched to and back. A
 * version is whole and never changes; what is in force is always one of them. Switches happen one
 * after another, each on record before it holds. What a method returned survives a crash. Safe for
 * use by many threads.
 *
 * <p>Versions are named {@code [a-z0-9][a-z0-9._-]{0,63}}, without {@code ..}, and never {@code
 * current}. Every method that is given a name throws {@code NOT_FOUND} if there is no such version,
 * and {@code CONFLICT} if its files are not those that were stored.
 *
 * <p>Where a {@code Caller} is null, the kernel acts by itself: it may do whatever grants nobody
 * more.
 */
@ProviderType
public interface PolicyVersions {

  /** The one in force; empty while everything is denied because there is none. */
  Optional<Version> current();

  /**
   * What is kept, the newest first.
   *
   * @param after the last one of the page before; null for the first page
   * @param limit at most 1,000
   */
  List<Version> list(@Nullable String after, int limit);

  /** A version and its files. */
  Whole find(String version);

  /**
   * Keeps a version. It is not in force by that. The same files again are the same version,
   * whatever its name.
   *
   * @throws Refused {@code INVALID_FIELD} with the pointer {@code /files/<file>/<field>} if they
   *     are no policy; {@code CONFLICT} if the name is another version's
   */
  Version add(Proposal proposal, @Nullable Caller by);

  /** In what the second differs from the first, at most 1,000 fields. */
  List<Change> diff(String from, String to);

  /** What the second grants more than the first; where it is empty, nobody gets more. */
  List<Wider> widening(String from, String to);

  /**
   * Puts a version in force, for all or as a canary for some. Widening is measured against what is
   * in force.
   *
   * @throws Refused {@code ROLE_REQUIRED} if it widens and no operator asks for it; {@code
   *     APPROVAL_REQUIRED} if it widens and {@code expectedSha256} is not said; {@code CONFLICT} if
   *     that is not the version's, or another canary is under way
   */
  Version activate(String version, Activation activation, @Nullable Caller by);

  /**
   * Puts a former version in force again, whole. A canary ends by it.
   *
   * @throws Refused {@code ROLE_REQUIRED} if it widens and no operator asks for it
   */
  Version rollback(String version, String reason, @Nullable Caller by);

  /** What is being judged: a canary, or a version that came into force a short while ago. */
  Optional<Trial> canary();

  /**
   * The canary holds for all.
   *
   * @throws Refused {@code NOT_FOUND} if there is none
   */
  Version promote(@Nullable Caller by);

  /**
   * The canary holds for nobody any more.
   *
   * @throws Refused {@code NOT_FOUND} if there is none
   */
  void end(String reason, @Nullable Caller by);

  /** What would have become of the latest calls on record. */
  DryRun dryRun(String version);

  /** What is taken from everybody or somebody besides the versions, the newest first. */
  List<Revocation> revocations();

  /**
   * Takes something away at once, whatever version is in force.
   *
   * @throws Refused {@code INVALID_FIELD}; {@code QUEUE_FULL} if there are too many
   */
  Revocation revoke(Revoking what, @Nullable Caller by);

  /**
   * @throws Refused {@code NOT_FOUND}; {@code ROLE_REQUIRED} if no operator asks for it
   */
  void lift(String id, @Nullable Caller by);

  /** Why an operator is called; empty if none is. */
  String operatorCalled();

  /** Where a version came from. */
  enum Origin {
    /**
     * The operator's file {@code policies/agent.capabilities.yaml}, or another node of a cluster.
     */
    FILE,
    OPERATOR,
    BRAIN,
    /** Made by the kernel of two versions, to go back without granting more. */
    ROLLBACK;

    public String written() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Where a version stands. */
  enum State {
    /** It was never in force. */
    STORED,
    /** It is tried on some. */
    CANARY,
    CURRENT,
    /** It was in force. */
    FORMER,
    /** Its files are not those that were stored: it cannot be used. */
    DAMAGED;

    public String written() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * @param sha256 over file names and bytes, in hex
   * @param by who stored it
   * @param parent the version it was made of
   * @param rationale why it was made, in words
   * @param evidence figures behind the rationale; JSON values by name
   */
  record Version(
      String name,
      String sha256,
      Instant created,
      String by,
      @Nullable String parent,
      Origin origin,
      String rationale,
      Map<String, @Nullable Object> evidence,
      State state) {

    public Version {
      requireNonNull(name, "name");
      requireNonNull(sha256, "sha256");
      evidence = Collections.unmodifiableMap(new LinkedHashMap<>(evidence));
    }
  }

  /**
   * @param files texts by file name, sorted
   */
  record Whole(Version version, Map<String, String> files) {

    public Whole {
      files = Collections.unmodifiableMap(new TreeMap<>(files));
    }
  }

  /**
   * A version to be kept.
   *
   * @param version its name; null for one that is made of its files
   * @param files texts by file name: {@code agent.capabilities.yaml} always, and any of {@code
   *     quotas.yaml}, {@code scheduler.yaml}, {@code models.yaml}, {@code memory.yaml}, {@code
   *     gates.yaml}
   */
  record Proposal(
      @Nullable String version,
      Map<String, String> files,
      @Nullable String parent,
      Origin origin,
      String rationale,
      Map<String, @Nullable Object> evidence) {

    public Proposal {
      files = Collections.unmodifiableMap(new TreeMap<>(files));
      evidence = Collections.unmodifiableMap(new LinkedHashMap<>(evidence));
    }
  }

  /**
   * @param pointer JSON pointer within the file; empty for the file as a whole
   * @param before null if it was not there
   * @param after null if it is not there any more
   * @param matter {@code capabilities}, {@code budget}, {@code trust}, {@code privacy}, {@code
   *     gates}, {@code memory} or {@code performance}
   */
  record Change(
      String file,
      String pointer,
      @Nullable Object before,
      @Nullable Object after,
      String matter) {}

  /**
   * @param says what there is more of, in words
   */
  record Wider(String file, String pointer, String says) {}

  /**
   * How a version comes into force.
   *
   * @param expectedSha256 what was looked at: a version that widens is put in force by naming this
   * @param canaryPercent of tenants, 1 to 99, that have it first; null unless it is a canary of a
   *     share
   * @param tenants that have it first; empty unless it is a canary of some
   */
  record Activation(
      @Nullable String expectedSha256, @Nullable Integer canaryPercent, Set<String> tenants) {

    /** For all, if it grants nobody more. */
    public static final Activation FOR_ALL = new Activation(null, null, Set.of());

    public Activation {
      tenants = Set.copyOf(tenants);
    }

    public boolean canary() {
      return canaryPercent != null || !tenants.isEmpty();
    }
  }

  /**
   * A version that is being judged by the gates.
   *
   * @param version the one that is judged
   * @param stable what it is judged by, and goes back to
   * @param percent of tenants; null if there is a list of them, or it holds for all
   * @param tenants that have it; empty if there is a share of them, or it holds for all
   * @param watched whether it holds for all already
   * @param failures in a row
   * @param inconclusive intervals in a row of which nothing could be concluded
   * @param paused whether it waits for an operator
   * @param figures of the last interval, of the version
   * @param figuresBeside of the last interval, of the others; or of the time before
   */
  record Trial(
      String version,
      String stable,
      @Nullable Integer percent,
      Set<String> tenants,
      boolean watched,
      Instant since,
      int failures,
      int inconclusive,
      boolean paused,
      String says,
      Figures figures,
      Figures figuresBeside) {}

  /**
   * Of the calls of one interval.
   *
   * @param errorRate share that a tool, an operator or the kernel is to blame for: 0 to 1
   */
  record Figures(long calls, double errorRate, double latencyMillisP95, double usdPerHour) {

    public static final Figures NONE = new Figures(0, 0, 0, 0);
  }

  /**
   * Calls of the past, decided again by what is in force and by a version.
   *
   * @param decided how many calls
   * @param skipped how many could not be: their agent is not known any more
   * @param refused allowed now, and not then
   * @param allowed not allowed now, and then
   * @param approvals allowed now, and then only once a person has been asked
   * @param examples at most 20 of them
   */
  record DryRun(
      String version,
      String against,
      long decided,
      long skipped,
      long refused,
      long allowed,
      long approvals,
      List<Example> examples) {}

  /**
   * @param tool null if the call was of none
   * @param now {@code allow}, {@code deny} or {@code approve}
   * @param then as well
   */
  record Example(
      String auditId,
      String agent,
      String syscall,
      @Nullable String tool,
      String now,
      String then,
      String rule) {}

  /**
   * What is to be taken away: exactly one of capability, tool and syscall.
   *
   * @param tenant whose; null for all
   * @param agent whose alone, by its name in the tenant; null for all of the tenant
   * @param tool a name or a glob, as in the rules
   * @param syscall a name or a glob
   */
  record Revoking(
      @Nullable String tenant,
      @Nullable String agent,
      @Nullable String capability,
      @Nullable String tool,
      @Nullable String syscall,
      String reason) {}

  /**
   * @param by who took it away
   */
  record Revocation(String id, Revoking what, String by, Instant at) {}
}
