package org.aionos.policy;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.policy.PolicyVersions.Activation;
import org.aionos.kernel.policy.PolicyVersions.Figures;
import org.aionos.kernel.policy.PolicyVersions.Origin;
import org.aionos.kernel.policy.PolicyVersions.Proposal;
import org.aionos.kernel.policy.PolicyVersions.State;
import org.aionos.kernel.policy.PolicyVersions.Version;
import org.aionos.policies.Composed;
import org.aionos.policies.InvalidPolicy;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.Revoked;
import org.aionos.policies.Widening;
import org.aionos.policy.InForce.Candidate;
import org.aionos.policy.InForce.Loaded;
import org.aionos.policy.KeptVersions.About;
import org.aionos.policy.KeptVersions.Kept;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which version is in force, and how it becomes another. One switch after another, under the lock
 * of this object; each is on record, then in {@code switches.json}, then holds by the link, then in
 * memory. Whoever decides reads {@link #inForce} and waits for nobody.
 */
final class Switches {

  private static final Logger log = LoggerFactory.getLogger(Switches.class);

  static final String STATE_FILE = "switches.json";

  /** Whoever wants to go back goes back to one of the latest. */
  static final int FORMERS_KEPT = 10;

  private static final int VERSIONS_MAX = 200;
  private static final int RATIONALE_LENGTH_MAX = 4_000;
  private static final int EVIDENCE_BYTES_MAX = 64 << 10;
  private static final int TENANTS_MAX = 1_000;
  private static final int SHOWN = 3;

  /** Writes a file. */
  interface Writing {
    void write() throws IOException;
  }

  /** What the rest of the component hears of switches. Called under the lock. */
  interface Listener {

    /** What is in force is another. */
    void switched();

    /** The kernel has gone back by itself, or somebody has. */
    void rolledBack();
  }

  private final KeptVersions versions;
  private final Path stateFile;
  private final Disk disk;
  private final Journal journal;
  private final InstantSource clock;
  private final Listener listener;
  private final Supplier<Figures> figuresBefore;
  private SwitchState state = SwitchState.NONE;
  private volatile InForce inForce = InForce.NOTHING;

  /**
   * @param figuresBefore of what was in force until now; none if there were too few calls
   */
  Switches(
      Path policies,
      Path state,
      Disk disk,
      Journal journal,
      InstantSource clock,
      Listener listener,
      Supplier<Figures> figuresBefore)
      throws IOException {
    this.versions = new KeptVersions(policies, disk);
    this.stateFile = state.resolve(STATE_FILE);
    this.disk = disk;
    this.journal = journal;
    this.clock = clock;
    this.listener = listener;
    this.figuresBefore = figuresBefore;
  }

  InForce inForce() {
    return inForce;
  }

  // --- beginning ------------------------------------------------------------------------------

  /**
   * Puts in force again what was, or, if that cannot be used, the last version before it that can.
   *
   * @param file the operator's file as it is now; null if there is none
   */
  synchronized void restore(byte @Nullable [] file) {
    state = readState(file);
    String current = versions.current();
    if (current != null && restored(current)) {
      restoreCanary();
      return;
    }
    List<String> known = new ArrayList<>(state.formers());
    if (state.now() != null) {
      known.add(0, state.now());
    }
    for (String former : known) {
      if (versions.has(former) && !former.equals(current)) {
        fallBack(former, current);
        return;
      }
    }
  }

  private SwitchState readState(byte @Nullable [] file) {
    try {
      SwitchState read = SwitchState.read(stateFile);
      if (read != null) {
        return read;
      }
    } catch (IOException | InvalidDocument damaged) {
      log.error("what was known of switches is lost: file={}", stateFile, damaged);
    }
    // Whether that file was in force already is not known, and what was in force since may have
    // narrowed it: it waits until somebody changes it.
    return file == null || versions.current() == null
        ? SwitchState.NONE
        : SwitchState.NONE.withTaken(sha256(file));
  }

  private boolean restored(String current) {
    try {
      inForce = new InForce(Loaded.of(versions.read(current)), null, inForce.revoked());
      log.info("policy in force: version={}", current);
      return true;
    } catch (Refused unusable) {
      log.error("the current version cannot be used: {}", unusable.problem().message());
      return false;
    }
  }

  private void restoreCanary() {
    SwitchState.Canary some = state.canary();
    Loaded stable = inForce.stable();
    if (some != null && stable != null && !some.version().equals(stable.name())) {
      try {
        Loaded version = Loaded.of(versions.read(some.version()));
        inForce = inForce.with(new Candidate(version, some.percent(), some.tenants()));
      } catch (Refused unusable) {
        log.error("a canary is not tried any more: {}", unusable.problem().message());
        state = state.withCanary(null);
      }
    } else {
      state = state.withCanary(null);
    }
    SwitchState.Watch watch = state.watch();
    if (watch != null && (stable == null || !watch.version().equals(stable.name()))) {
      state = state.withWatch(null);
    }
  }

  private void fallBack(String former, @Nullable String current) {
    try {
      String why =
          current == null
              ? "the link to the current version leads nowhere"
              : "the version " + current + " cannot be used";
      switchTo(versions.read(former), "policy.activated", "kernel", why, null);
      log.warn("policy restored: version={} because={}", former, why);
    } catch (Refused impossible) {
      log.error("policy denies everything: {}", impossible.problem().message());
    }
  }

  // --- versions -------------------------------------------------------------------------------

  synchronized Optional<Version> current() {
    Loaded stable = inForce.stable();
    return stable == null
        ? Optional.empty()
        : Optional.of(shown(versions.read(stable.name()).about()));
  }

  /** Where a version's capabilities stand. */
  Path source(Loaded version) {
    return versions.file(version.name());
  }

  synchronized List<Version> list(@Nullable String after, int limit) {
    List<Version> all = new ArrayList<>();
    versions.newestFirst().forEach(about -> all.add(shown(about)));
    for (String name : new TreeSet<>(versions.damaged())) {
      all.add(
          new Version(
              name,
              "",
              java.time.Instant.EPOCH,
              "",
              null,
              Origin.FILE,
              "",
              Map.of(),
              State.DAMAGED));
    }
    int from = 0;
    if (after != null) {
      List<String> names = all.stream().map(Version::name).toList();
      from = names.indexOf(after) + 1;
      if (from == 0) {
        throw new Refused(Code.NOT_FOUND, "there is no version of the policy of this name");
      }
    }
    return List.copyOf(all.subList(from, Math.min(all.size(), from + limit)));
  }

  synchronized Kept find(String version) {
    return versions.read(version);
  }

  synchronized Version shown(About about) {
    return new Version(
        about.name(),
        about.sha256(),
        about.created(),
        about.by(),
        about.parent(),
        about.origin(),
        about.rationale(),
        about.evidence(),
        standing(about.name()));
  }

  private State standing(String name) {
    InForce now = inForce;
    if (now.stable() != null && now.stable().name().equals(name)) {
      return State.CURRENT;
    }
    if (now.canary() != null && now.canary().version().name().equals(name)) {
      return State.CANARY;
    }
    return state.formers().contains(name) ? State.FORMER : State.STORED;
  }

  synchronized Version add(Proposal proposal, @Nullable Caller by) {
    PolicyDocument document = read(proposal.files());
    String name = proposal.version();
    if (name != null && !PolicyDocument.isName(name)) {
      throw invalid("/version", "must be [a-z0-9][a-z0-9._-]{0,63}, without .., and not current");
    }
    String parent = proposal.parent();
    if (parent != null && !versions.has(parent)) {
      throw invalid("/parent", "is not a version that is kept");
    }
    if (proposal.rationale().length() > RATIONALE_LENGTH_MAX) {
      throw invalid("/rationale", "is longer than " + RATIONALE_LENGTH_MAX + " characters");
    }
    if (Documents.write(proposal.evidence()).length > EVIDENCE_BYTES_MAX) {
      throw invalid("/evidence", "is larger than " + EVIDENCE_BYTES_MAX + " bytes of JSON");
    }
    Optional<About> same = versions.ofContent(document.sha256());
    if (same.isPresent()) {
      return shown(same.get());
    }
    if (name != null && (versions.has(name) || versions.damaged().contains(name))) {
      throw new Refused(Code.CONFLICT, "there is another version of the name " + name);
    }
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("version", name == null ? "" : name);
    facts.put("sha256", document.sha256());
    facts.put("origin", proposal.origin().written());
    facts.put("by", name(by));
    record("policy.stored", facts);
    return shown(
        store(
            name,
            document,
            name(by),
            parent,
            proposal.origin(),
            proposal.rationale(),
            proposal.evidence()));
  }

  private static PolicyDocument read(Map<String, String> files) {
    try {
      return PolicyDocument.ofTexts(files);
    } catch (InvalidPolicy invalid) {
      InvalidPolicy.Fault first = invalid.faults().get(0);
      String file = first.file().isEmpty() ? "" : "/" + escaped(first.file());
      throw invalid("/files" + file + first.pointer(), invalid.describe());
    }
  }

  private static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  private static Refused invalid(String pointer, String why) {
    return new Refused(Problem.at(pointer, Code.INVALID_FIELD, why));
  }

  private About store(
      @Nullable String name,
      PolicyDocument document,
      String by,
      @Nullable String parent,
      Origin origin,
      String rationale,
      Map<String, @Nullable Object> evidence) {
    try {
      About stored =
          versions.add(name, document, clock.instant(), by, parent, origin, rationale, evidence);
      Set<String> needed = needed();
      needed.add(stored.name());
      versions.keep(VERSIONS_MAX, needed);
      return stored;
    } catch (IOException failed) {
      throw unwritten("the version could not be stored", failed);
    }
  }

  private static Refused unwritten(String what, IOException why) {
    log.error("{}", what, why);
    return new Refused(
        Code.BACKEND_UNAVAILABLE, what + ": is the disk full, or the folder not writable?");
  }

  /** What is not removed, however old it is. */
  private Set<String> needed() {
    Set<String> needed = new HashSet<>();
    state.formers().stream().limit(FORMERS_KEPT).forEach(needed::add);
    InForce now = inForce;
    if (now.stable() != null) {
      needed.add(now.stable().name());
    }
    if (now.canary() != null) {
      needed.add(now.canary().version().name());
    }
    SwitchState.Watch watch = state.watch();
    if (watch != null) {
      needed.add(watch.before());
    }
    return needed;
  }

  // --- switching ------------------------------------------------------------------------------

  /** Takes the operator's file into force, if it was not taken in before. */
  synchronized void take(byte[] file) throws InvalidPolicy {
    String digest = sha256(file);
    if (digest.equals(state.taken())) {
      return;
    }
    Map<String, byte[]> files = new TreeMap<>();
    Loaded stable = inForce.stable();
    if (stable != null) {
      files.putAll(stable.document().files());
    }
    files.put(PolicyDocument.CAPABILITIES, file);
    PolicyDocument document = PolicyDocument.read(files);
    if (stable == null || !stable.sha256().equals(document.sha256())) {
      // What is stored and not in force is no change yet, so it may stand there unrecorded.
      About stored =
          store(
              null,
              document,
              "file",
              nameOf(stable),
              Origin.FILE,
              "the file was changed",
              Map.of());
      switchTo(versions.read(stored.name()), "policy.activated", "file", "", null);
    }
    save(state.withTaken(digest));
  }

  /**
   * Puts another node's version in force.
   *
   * @param name what it is called there
   * @param file makes the operator's file say the same, before anybody takes it in
   */
  synchronized void adopt(String name, PolicyDocument document, Writing file) throws IOException {
    Loaded stable = inForce.stable();
    if (stable != null && stable.sha256().equals(document.sha256())) {
      return;
    }
    boolean free = PolicyDocument.isName(name) && !versions.has(name);
    About stored =
        store(
            free ? name : null,
            document,
            "cluster",
            nameOf(stable),
            Origin.FILE,
            "of another node",
            Map.of());
    file.write();
    switchTo(versions.read(stored.name()), "policy.activated", "cluster", "", null);
    save(
        state.withTaken(
            sha256(document.files().getOrDefault(PolicyDocument.CAPABILITIES, new byte[0]))));
  }

  synchronized Version activate(String version, Activation how, @Nullable Caller by) {
    Kept target = versions.read(version);
    mayWiden(target, how.expectedSha256(), by, true);
    String expected = how.expectedSha256();
    if (expected != null && !expected.equals(target.about().sha256())) {
      throw new Refused(
          Problem.at(
                  "/sha256",
                  Code.CONFLICT,
                  "the SHA-256 of " + version + " is " + target.about().sha256())
              .admittedBy("look at the version again, and name that"));
    }
    if (how.canary()) {
      beginCanary(target, how, by);
    } else if (standing(version) == State.CANARY) {
      return promote(by);
    } else if (standing(version) != State.CURRENT) {
      switchTo(target, "policy.activated", name(by), "", watch(target.name()));
    }
    return shown(target.about());
  }

  /**
   * Who gives more must be a person, and must have looked at what is given.
   *
   * @param byHash whether the content must be named
   */
  private void mayWiden(
      Kept target, @Nullable String expectedSha256, @Nullable Caller by, boolean byHash) {
    Loaded stable = inForce.stable();
    List<String> wider =
        stable == null
            ? List.of("there is no policy in force, so any gives more")
            : Widening.between(stable.document(), target.document()).stream()
                .map(each -> each.file() + "#" + each.pointer() + ": " + each.says())
                .toList();
    if (wider.isEmpty()) {
      return;
    }
    String what =
        wider.stream().limit(SHOWN).collect(joining("; "))
            + (wider.size() > SHOWN ? "; and " + (wider.size() - SHOWN) + " more" : "");
    if (!isOperator(by)) {
      throw new Refused(
          Problem.of(
                  Code.ROLE_REQUIRED, target.name() + " grants more than what is in force: " + what)
              .admittedBy("an operator puts it in force"));
    }
    if (byHash && expectedSha256 == null) {
      throw new Refused(
          Problem.of(
                  Code.APPROVAL_REQUIRED,
                  target.name() + " grants more than what is in force: " + what)
              .admittedBy("the same again with sha256 " + target.about().sha256()));
    }
  }

  private static boolean isOperator(@Nullable Caller by) {
    return by != null
        && by.kind() == Caller.Kind.PERSON
        && by.tenant() == null
        && by.has(Role.OPERATOR);
  }

  private void beginCanary(Kept target, Activation how, @Nullable Caller by) {
    Candidate other = inForce.canary();
    Loaded stable = inForce.stable();
    Integer percent = how.canaryPercent();
    if (other != null) {
      throw new Refused(
          Problem.of(Code.CONFLICT, other.version().name() + " is a canary already")
              .admittedBy("promote it, or end it"));
    }
    if (stable == null || standing(target.name()) == State.CURRENT) {
      throw new Refused(
          Code.CONFLICT, "a canary is another version than the one in force, beside it");
    }
    if (percent != null && !how.tenants().isEmpty()) {
      throw invalid("/canary_percent", "either a share of tenants is named, or a list of them");
    }
    if (percent != null && (percent < 1 || percent > 99)) {
      throw invalid("/canary_percent", "must be from 1 to 99");
    }
    if (how.tenants().size() > TENANTS_MAX || !how.tenants().stream().allMatch(AgentId::isName)) {
      throw invalid("/tenants", "must be names of tenants, at most " + TENANTS_MAX);
    }
    Map<String, @Nullable Object> facts = facts(target.name(), target.about().sha256(), name(by));
    facts.put("percent", percent);
    facts.put("tenants", List.copyOf(new TreeSet<>(how.tenants())));
    record("policy.canary_begun", facts);
    save(
        state.withCanary(
            new SwitchState.Canary(target.name(), percent, how.tenants(), clock.instant())));
    inForce = inForce.with(new Candidate(Loaded.of(target), percent, how.tenants()));
    listener.switched();
    log.info("policy canary begun: version={} percent={}", target.name(), percent);
  }

  synchronized Version rollback(String version, String reason, @Nullable Caller by) {
    Kept target = versions.read(version);
    State standing = standing(version);
    if (standing == State.CURRENT) {
      endCanary(reason, name(by));
      return shown(target.about());
    }
    if (standing != State.FORMER) {
      throw new Refused(
          Problem.of(Code.CONFLICT, version + " was never in force, so nothing goes back to it")
              .admittedBy("POST /v1/policy/activate/" + version));
    }
    mayWiden(target, null, by, false);
    switchTo(target, "policy.rolled_back", name(by), reason, null);
    listener.rolledBack();
    return shown(target.about());
  }

  synchronized Version promote(@Nullable Caller by) {
    Candidate some = inForce.canary();
    if (some == null) {
      return accept(by);
    }
    Kept target = versions.read(some.version().name());
    mayWiden(target, null, by, false);
    record("policy.canary_promoted", facts(target.name(), target.about().sha256(), name(by)));
    switchTo(target, "policy.activated", name(by), "promoted", watch(target.name()));
    return shown(target.about());
  }

  /** A version that is watched is judged no more, and stays. */
  private Version accept(@Nullable Caller by) {
    SwitchState.Watch watch = state.watch();
    if (watch == null) {
      throw new Refused(Code.NOT_FOUND, "there is no canary, and nothing is being watched");
    }
    Kept kept = versions.read(watch.version());
    record("policy.watch_ended", facts(kept.name(), kept.about().sha256(), name(by)));
    save(state.withWatch(null).withCalled(""));
    return shown(kept.about());
  }

  synchronized void end(String reason, @Nullable Caller by) {
    if (inForce.canary() != null) {
      endCanary(reason, name(by));
    } else if (state.watch() != null) {
      accept(by);
    } else if (!state.called().isEmpty()) {
      save(state.withCalled(""));
    } else {
      throw new Refused(Code.NOT_FOUND, "there is no canary, and nothing is being watched");
    }
  }

  private void endCanary(String reason, String by) {
    Candidate some = inForce.canary();
    if (some == null) {
      return;
    }
    Map<String, @Nullable Object> facts = facts(some.version().name(), some.version().sha256(), by);
    facts.put("reason", reason);
    record("policy.canary_ended", facts);
    save(state.withCanary(null).withCalled(""));
    inForce = inForce.with((Candidate) null);
    listener.switched();
    log.info("policy canary ended: version={} reason={}", some.version().name(), reason);
  }

  private void switchTo(
      Kept target, String kind, String by, String reason, SwitchState.@Nullable Watch watch) {
    Loaded before = inForce.stable();
    Candidate some = inForce.canary();
    if (some != null && !some.version().name().equals(target.name())) {
      endCanary("another version comes into force", by);
    }
    Map<String, @Nullable Object> facts = facts(target.name(), target.about().sha256(), by);
    facts.put("before", before == null ? "none" : before.name());
    facts.put("before_sha256", before == null ? null : before.sha256());
    facts.put("reason", reason);
    record(kind, facts);
    try {
      SwitchState next = state.after(nameOf(before), target.name(), watch);
      disk.write(stateFile, next.json());
      versions.pointTo(target.name());
      state = next;
    } catch (IOException failed) {
      refused("the switch to " + target.name() + " could not be kept", nameOf(before));
      throw unwritten("the version could not be put in force", failed);
    }
    inForce = new InForce(Loaded.of(target), null, inForce.revoked());
    versions.keep(VERSIONS_MAX, needed());
    listener.switched();
    log.info("policy activated: version={} before={} by={}", target.name(), nameOf(before), by);
  }

  private SwitchState.@Nullable Watch watch(String version) {
    Loaded before = inForce.stable();
    return before == null
        ? null
        : new SwitchState.Watch(version, before.name(), clock.instant(), figuresBefore.get());
  }

  // --- going back by itself -------------------------------------------------------------------

  synchronized SwitchState.@Nullable Watch watched() {
    return state.watch();
  }

  synchronized SwitchState.@Nullable Canary canary() {
    return state.canary();
  }

  synchronized String called() {
    return state.called();
  }

  /** The canary, or the version that is watched, does not do well. */
  synchronized void goBack(String reason) {
    Candidate some = inForce.canary();
    if (some != null) {
      Loaded stable = inForce.stable();
      Map<String, @Nullable Object> facts =
          facts(
              stable == null ? "none" : stable.name(),
              stable == null ? "" : stable.sha256(),
              "kernel");
      facts.put("before", some.version().name());
      facts.put("reason", reason);
      record("policy.rolled_back", facts);
      endCanary(reason, "kernel");
      listener.rolledBack();
      return;
    }
    SwitchState.Watch watch = state.watch();
    Loaded now = inForce.stable();
    if (watch == null || now == null) {
      return;
    }
    if (!versions.has(watch.before())) {
      stay(watch, reason + "; the version before is not kept any more");
      return;
    }
    Kept before = versions.read(watch.before());
    if (Widening.between(now.document(), before.document()).isEmpty()) {
      switchTo(before, "policy.rolled_back", "kernel", reason, null);
      listener.rolledBack();
    } else {
      goBackInPerformance(now, before, reason);
    }
  }

  /** Going back as a whole would give somebody more, which a kernel does not do by itself. */
  private void goBackInPerformance(Loaded now, Kept before, String reason) {
    PolicyDocument composed = Composed.of(now.document(), before.document());
    String call =
        now.name()
            + " does not do well ("
            + reason
            + "), and going back to "
            + before.name()
            + " would grant more: roll back by hand, or go on";
    recordCall(call);
    if (!composed.sha256().equals(now.sha256())) {
      About stored =
          store(
              null,
              composed,
              "kernel",
              now.name(),
              Origin.ROLLBACK,
              "performance of " + before.name() + ", because of " + now.name() + ": " + reason,
              Map.of());
      switchTo(versions.read(stored.name()), "policy.rolled_back", "kernel", reason, null);
      listener.rolledBack();
    }
    save(state.withWatch(null).withCalled(call));
  }

  private void stay(SwitchState.Watch watch, String why) {
    callOperator(watch.version() + " does not do well: " + why);
    save(state.withWatch(null));
  }

  synchronized void callOperator(String why) {
    recordCall(why);
    save(state.withCalled(why));
  }

  private void recordCall(String why) {
    Loaded stable = inForce.stable();
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("version", stable == null ? "none" : stable.name());
    facts.put("why", why);
    record("policy.operator_called", facts);
    log.error("an operator is called: {}", why);
  }

  /** It has done well for long enough. */
  synchronized void endWatch() {
    SwitchState.Watch watch = state.watch();
    if (watch != null) {
      Loaded stable = inForce.stable();
      record(
          "policy.watch_ended",
          facts(watch.version(), stable == null ? "" : stable.sha256(), "kernel"));
      save(state.withWatch(null));
    }
  }

  // --- revocations ----------------------------------------------------------------------------

  synchronized void revoked(Revoked revoked) {
    inForce = inForce.with(revoked);
  }

  // --- the record -----------------------------------------------------------------------------

  /** Says that something did not come into force, where that can be said. */
  synchronized void refused(String why, @Nullable String kept) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("why", why);
    facts.put("kept", kept == null ? "none" : kept);
    try {
      record("policy.refused", facts);
    } catch (Refused journalAway) {
      log.error("the refusal of a policy could not be recorded: {}", why);
    }
  }

  private void record(String kind, Map<String, @Nullable Object> facts) {
    journal.record(new Journal.Event("kernel.policy", kind, null, facts));
  }

  private static Map<String, @Nullable Object> facts(String version, String sha256, String by) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("version", version);
    facts.put("sha256", sha256);
    facts.put("by", by);
    return facts;
  }

  private void save(SwitchState next) {
    try {
      disk.write(stateFile, next.json());
      state = next;
    } catch (IOException failed) {
      throw unwritten("what is known of switches could not be kept", failed);
    }
  }

  static String name(@Nullable Caller by) {
    return by == null ? "kernel" : by.keyId();
  }

  private static @Nullable String nameOf(@Nullable Loaded version) {
    return version == null ? null : version.name();
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  // --- the cluster ----------------------------------------------------------------------------

  /** The version in force as other nodes are given it; empty for none. */
  byte[] written() {
    Loaded stable = inForce.stable();
    if (stable == null) {
      return new byte[0];
    }
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("version", stable.name());
    values.put("files", stable.document().texts());
    return Documents.write(values);
  }

  /** A version that another node has written. */
  record Given(String name, PolicyDocument document) {

    static Given read(byte[] written) throws InvalidDocument, InvalidPolicy {
      var fields = Documents.kept(written);
      Map<String, byte[]> files = new TreeMap<>();
      var texts = fields.object("files");
      for (String file : texts.names()) {
        files.put(file, texts.text(file).getBytes(StandardCharsets.UTF_8));
      }
      return new Given(fields.text("version"), PolicyDocument.read(files));
    }
  }
}
