package org.aionos.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.policy.Approvals;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Approvals in memory and in an {@link ApprovalLog}. What is asked, decided and used is on the
 * kernel's journal first, then in the log, then so. An approval that was used is remembered until
 * it would have ended, so that it cannot be used again after a crash either.
 */
@Component(
    service = Approvals.class,
    configurationPid = "org.aionos.policy",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class KeptApprovals implements Approvals {

  private static final Logger log = LoggerFactory.getLogger(KeptApprovals.class);

  static final String FILE_NAME = "approvals.log";

  /** One tenant must not fill what persons look through. */
  static final int WAITING_PER_TENANT_MAX = 100;

  /** All that is remembered, used ones too. */
  static final int ALL_MAX = 10_000;

  /** So many lines that say nothing any more are worth being written anew. */
  private static final int SPENT_LINES_MAX = 1_000;

  private static final int ID_BYTES = 8;
  private static final String USED = "used";

  /** An approval, and whether it was used. */
  private record Entry(Approval approval, boolean used) {}

  /** Of one call alone. */
  private record Key(
      AgentId agent, String syscall, String subject, String arguments, String policyVersion) {

    static Key of(Approval approval) {
      return new Key(
          approval.agent(),
          approval.syscall(),
          approval.subject(),
          approval.arguments(),
          approval.policyVersion());
    }
  }

  private final Duration kept;
  private final Journal journal;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final ApprovalLog file;
  private final AutoCloseable gauge;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<Key, String> open = new HashMap<>();

  @Activate
  public KeptApprovals(
      PolicyConfig config,
      BundleContext context,
      @Reference(name = "journal") Journal journal,
      @Reference(name = "meters") Meters meters)
      throws IOException {
    this(
        Path.of(String.valueOf(context.getProperty("aion.state")), "policy"),
        Duration.ofSeconds(config.approvalSeconds()),
        journal,
        meters,
        InstantSource.system(),
        new SecureRandom());
  }

  KeptApprovals(
      Path state,
      Duration kept,
      Journal journal,
      Meters meters,
      InstantSource clock,
      RandomGenerator random)
      throws IOException {
    this.kept = kept;
    this.journal = journal;
    this.clock = clock;
    this.random = random;
    Files.createDirectories(state);
    ApprovalLog.Opened opened =
        ApprovalLog.open(state.resolve(FILE_NAME), new Disk(operation -> {}));
    this.file = opened.log();
    for (Fields line : opened.lines()) {
      try {
        remember(read(line));
      } catch (InvalidDocument | IllegalArgumentException | DateTimeException unreadable) {
        // An approval that cannot be read is none: whoever wants it asks again.
        log.error("an approval cannot be read: {}", unreadable.getMessage());
      }
    }
    forgetEnded();
    this.gauge =
        meters.gauge("aion_approvals_waiting", "Calls that wait for a person", this::waiting);
  }

  @Deactivate
  void close() throws Exception {
    gauge.close();
    synchronized (this) {
      file.close();
    }
  }

  private synchronized double waiting() {
    forgetEnded();
    return waiting(null);
  }

  private long waiting(@Nullable String tenant) {
    return entries.values().stream()
        .filter(entry -> entry.approval().state() == State.WAITING)
        .filter(entry -> tenant == null || entry.approval().agent().tenant().equals(tenant))
        .count();
  }

  @Override
  public synchronized void use(Decision.AfterApproval decision, Asked asked, String subject) {
    forgetEnded();
    Syscall syscall = asked.syscall();
    Key key =
        new Key(
            syscall.agent(),
            syscall.name(),
            subject,
            ShownParams.digest(syscall.params()),
            decision.policyVersion());
    Entry known = entries.get(open.getOrDefault(key, ""));
    Approval approval = known == null ? ask(key, decision, syscall) : known.approval();
    switch (approval.state()) {
      case APPROVED -> use(approval, asked);
      case WAITING ->
          throw refused(
              approval,
              decision,
              "this call waits for a person: approval " + approval.id(),
              "an operator approves "
                  + approval.id()
                  + " (POST /v1/approvals/"
                  + approval.id()
                  + "/approve), then the same call again before "
                  + approval.expires());
      case REFUSED ->
          throw refused(
              approval,
              decision,
              "a person has refused this call: approval " + approval.id(),
              "ask again after " + approval.expires() + ", or ask for something else");
    }
  }

  private static Refused refused(
      Approval approval, Decision.AfterApproval decision, String message, String admit) {
    return new Refused(
        new Problem(
            Code.APPROVAL_REQUIRED,
            message,
            null,
            decision.rule(),
            approval.policyVersion(),
            admit,
            null));
  }

  private void use(Approval approval, Asked asked) {
    record("approval.used", approval, Map.of("call", asked.auditId()));
    keep(new Entry(approval, true));
  }

  private Approval ask(Key key, Decision.AfterApproval decision, Syscall syscall) {
    String tenant = key.agent().tenant();
    if (waiting(tenant) >= WAITING_PER_TENANT_MAX || entries.size() >= ALL_MAX) {
      throw new Refused(
          Problem.later(
              Code.QUEUE_FULL,
              "too many calls of "
                  + tenant
                  + " wait for a person, so no more is asked; decide some, or wait for them to end",
              kept));
    }
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    Instant now = clock.instant();
    Approval approval =
        new Approval(
            "ap-" + HexFormat.of().formatHex(id),
            State.WAITING,
            key.agent(),
            key.syscall(),
            key.subject(),
            key.arguments(),
            ShownParams.shown(syscall.params()),
            key.policyVersion(),
            decision.rule(),
            now,
            now.plus(kept),
            null);
    record("approval.asked", approval, Map.of());
    keep(new Entry(approval, false));
    return approval;
  }

  @Override
  public synchronized List<Approval> list(@Nullable String tenant) {
    forgetEnded();
    List<Approval> found = new ArrayList<>();
    for (Entry entry : entries.values()) {
      Approval approval = entry.approval();
      if (!entry.used() && (tenant == null || approval.agent().tenant().equals(tenant))) {
        found.add(0, approval);
      }
    }
    return List.copyOf(found);
  }

  @Override
  public synchronized Approval decide(String id, boolean approved, Caller by) {
    forgetEnded();
    Entry entry = entries.get(id);
    if (entry == null || !by.maySee(entry.approval().agent().tenant())) {
      throw new Refused(
          Code.NOT_FOUND, "nothing of this id waits for a person: it may have ended by itself");
    }
    if (by.kind() != Caller.Kind.PERSON || !by.has(Role.OPERATOR)) {
      throw new Refused(
          Problem.of(Code.ROLE_REQUIRED, "a person decides, who is an operator")
              .admittedBy("the role operator"));
    }
    State wanted = approved ? State.APPROVED : State.REFUSED;
    Approval approval = entry.approval();
    if (entry.used() || (approval.state() != State.WAITING && approval.state() != wanted)) {
      throw new Refused(
          Code.CONFLICT,
          entry.used()
              ? "it was approved, and has been used"
              : "it was decided otherwise, by " + approval.by());
    }
    if (approval.state() == wanted) {
      return approval;
    }
    Approval decided =
        new Approval(
            approval.id(),
            wanted,
            approval.agent(),
            approval.syscall(),
            approval.subject(),
            approval.arguments(),
            approval.shown(),
            approval.policyVersion(),
            approval.rule(),
            approval.asked(),
            approval.expires(),
            by.keyId());
    record(approved ? "approval.approved" : "approval.refused", decided, Map.of());
    keep(new Entry(decided, false));
    return decided;
  }

  private void record(String kind, Approval approval, Map<String, ?> more) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>(more);
    facts.put("id", approval.id());
    facts.put("agent", approval.agent().toString());
    facts.put("syscall", approval.syscall());
    facts.put("subject", approval.subject());
    facts.put("arguments_sha256", approval.arguments());
    facts.put("policy_version", approval.policyVersion());
    facts.put("rule", approval.rule());
    facts.put("by", approval.by());
    journal.record(new Journal.Event("kernel.policy", kind, approval.agent().tenant(), facts));
  }

  private void keep(Entry entry) {
    try {
      file.append(written(entry));
    } catch (IOException failed) {
      log.error("an approval could not be kept: id={}", entry.approval().id(), failed);
      throw new Refused(
          Code.BACKEND_UNAVAILABLE, "the approval could not be kept: is the disk full?");
    }
    remember(entry);
  }

  private void remember(Entry entry) {
    Approval approval = entry.approval();
    entries.put(approval.id(), entry);
    if (entry.used()) {
      open.remove(Key.of(approval), approval.id());
    } else {
      open.put(Key.of(approval), approval.id());
    }
  }

  private void forgetEnded() {
    Instant now = clock.instant();
    entries
        .values()
        .removeIf(
            entry -> {
              boolean ended = !now.isBefore(entry.approval().expires());
              if (ended) {
                open.remove(Key.of(entry.approval()), entry.approval().id());
              }
              return ended;
            });
    if (file.lines() > entries.size() + SPENT_LINES_MAX) {
      try {
        file.rewrite(entries.values().stream().map(KeptApprovals::written).toList());
      } catch (IOException failed) {
        log.warn("the log of approvals could not be written anew", failed);
      }
    }
  }

  private static Map<String, @Nullable Object> written(Entry entry) {
    Approval approval = entry.approval();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("id", approval.id());
    values.put("state", approval.state().name().toLowerCase(Locale.ROOT));
    values.put("agent", approval.agent().toString());
    values.put("syscall", approval.syscall());
    values.put("subject", approval.subject());
    values.put("arguments", approval.arguments());
    values.put("shown", approval.shown());
    values.put("policy_version", approval.policyVersion());
    values.put("rule", approval.rule());
    values.put("asked", approval.asked().toString());
    values.put("expires", approval.expires().toString());
    values.put("by", approval.by());
    values.put(USED, entry.used());
    return values;
  }

  private static Entry read(Fields line) throws InvalidDocument {
    return new Entry(
        new Approval(
            line.text("id"),
            State.valueOf(line.text("state").toUpperCase(Locale.ROOT)),
            AgentId.parse(line.text("agent")),
            line.text("syscall"),
            line.text("subject"),
            line.text("arguments"),
            line.text("shown"),
            line.text("policy_version"),
            line.text("rule"),
            Instant.parse(line.text("asked")),
            Instant.parse(line.text("expires")),
            line.textOrNull("by")),
        line.flag(USED, false));
  }
}
