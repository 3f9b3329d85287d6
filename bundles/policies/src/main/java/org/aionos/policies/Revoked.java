package org.aionos.policies;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Policy.Grants;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.policy.PolicyVersions.Revocation;
import org.aionos.kernel.policy.PolicyVersions.Revoking;
import org.jspecify.annotations.Nullable;

/**
 * What is taken away besides all versions. It speaks before a version does, and only ever denies.
 * Immutable.
 */
public final class Revoked {

  /** Whoever takes away more than this changes the policy. */
  public static final int REVOCATIONS_MAX = 1_000;

  public static final Revoked NOTHING = new Revoked(List.of());

  private static final int TEXT_LENGTH_MAX = 200;
  private static final int REASON_LENGTH_MAX = 1_000;
  private static final String KIND = "PolicyRevocations";

  private final List<Revocation> revocations;
  private final List<Rule> rules;

  /** One revocation, ready to be compared. */
  private record Rule(Revocation revocation, Globs names) {

    boolean holdsFor(AgentId agent) {
      Revoking what = revocation.what();
      return (what.tenant() == null || what.tenant().equals(agent.tenant()))
          && (what.agent() == null || what.agent().equals(agent.name()));
    }

    String name() {
      return "revocations/" + revocation.id();
    }
  }

  public Revoked(List<Revocation> revocations) {
    this.revocations = List.copyOf(revocations);
    this.rules =
        this.revocations.stream()
            .map(each -> new Rule(each, new Globs(names(each.what()))))
            .toList();
  }

  private static Set<String> names(Revoking what) {
    String name =
        what.capability() != null
            ? what.capability()
            : what.tool() != null ? what.tool() : what.syscall();
    return name == null ? Set.of() : Set.of(name);
  }

  /** As they were given. */
  public List<Revocation> revocations() {
    return revocations;
  }

  public boolean isEmpty() {
    return rules.isEmpty();
  }

  /** The refusal of a syscall; null if none of these speaks of it. */
  public @Nullable Decision denies(Syscall syscall, Set<String> needs, String policyVersion) {
    for (Rule rule : rules) {
      Revoking what = rule.revocation().what();
      if (rule.holdsFor(syscall.agent())) {
        if (what.syscall() != null && rule.names().match(syscall.name())) {
          return deny(Code.SYSCALL_DENIED, "the syscall " + syscall.name(), rule, policyVersion);
        }
        if (what.capability() != null
            && (needs.contains(what.capability())
                || syscall.capsRequired().contains(what.capability()))) {
          return deny(
              Code.CAPABILITY_DENIED, "the capability " + what.capability(), rule, policyVersion);
        }
      }
    }
    return null;
  }

  /** The refusal of a tool; null if none of these speaks of it. */
  public @Nullable Decision deniesTool(
      AgentId agent, String tool, Set<String> needs, String policyVersion) {
    for (Rule rule : rules) {
      Revoking what = rule.revocation().what();
      if (rule.holdsFor(agent)) {
        if (what.tool() != null && rule.names().match(tool)) {
          return deny(Code.TOOL_DENIED, "the tool " + tool, rule, policyVersion);
        }
        if (what.capability() != null && needs.contains(what.capability())) {
          return deny(
              Code.CAPABILITY_DENIED, "the capability " + what.capability(), rule, policyVersion);
        }
      }
    }
    return null;
  }

  private static Decision deny(Code code, String what, Rule rule, String policyVersion) {
    return new Decision.Deny(
        new Problem(
            code,
            what + " is taken from this agent: " + rule.revocation().what().reason(),
            null,
            rule.name(),
            policyVersion,
            "an operator lifts the revocation " + rule.revocation().id(),
            null));
  }

  /** The same decision, with the capabilities that are left. */
  public Decision narrow(AgentId agent, Decision decision) {
    if (decision instanceof Decision.Allow allow) {
      return narrow(agent, allow);
    }
    return decision instanceof Decision.AfterApproval asking
        ? new Decision.AfterApproval(narrow(agent, asking.allow()), asking.rule())
        : decision;
  }

  private Decision.Allow narrow(AgentId agent, Decision.Allow allow) {
    Grants left = narrow(agent, new Grants(allow.grants(), allow.withheld(), Set.of()));
    return left.capabilities().size() == allow.grants().size()
        ? allow
        : new Decision.Allow(
            allow.rule(), allow.policyVersion(), left.capabilities(), left.withheld());
  }

  /** What is left of the capabilities of an agent. */
  public Grants narrow(AgentId agent, Grants grants) {
    Set<String> left = new HashSet<>(grants.capabilities());
    Map<String, String> withheld = new HashMap<>(grants.withheld());
    for (Rule rule : rules) {
      String capability = rule.revocation().what().capability();
      if (capability != null && rule.holdsFor(agent) && left.remove(capability)) {
        withheld.put(capability, rule.name());
      }
    }
    return left.size() == grants.capabilities().size()
        ? grants
        : new Grants(left, withheld, grants.syscalls());
  }

  /**
   * Reads {@code revocations.yaml}, as {@link #write} writes it, or by hand: then {@code id},
   * {@code by} and {@code at} may be missing.
   *
   * @param absent the time of what says none
   */
  public static Revoked read(byte[] file, Instant absent) throws InvalidDocument {
    Fields root = Documents.yaml(file).only("apiVersion", "kind", "revocations");
    if (!root.text("apiVersion").equals("aion.os/v1")) {
      throw root.invalid("apiVersion", "must be aion.os/v1");
    }
    if (!root.text("kind").equals(KIND)) {
      throw root.invalid("kind", "must be " + KIND);
    }
    List<Revocation> read = new ArrayList<>();
    Set<String> ids = new HashSet<>();
    for (Fields fields : root.list("revocations")) {
      fields.only("id", "tenant", "agent", "capability", "tool", "syscall", "reason", "by", "at");
      Revoking what = revoking(fields);
      Revocation each =
          new Revocation(
              fields.text("id", "rv-" + digest(what)),
              what,
              fields.text("by", "file"),
              at(fields, absent));
      if (!AgentId.isName(each.id()) || !ids.add(each.id())) {
        throw fields.invalid("id", "must be a name of its own");
      }
      read.add(each);
    }
    if (read.size() > REVOCATIONS_MAX) {
      throw root.invalid("revocations", "must be at most " + REVOCATIONS_MAX);
    }
    return new Revoked(read);
  }

  private static Instant at(Fields fields, Instant absent) throws InvalidDocument {
    String text = fields.textOrNull("at");
    try {
      return text == null ? absent : Instant.parse(text);
    } catch (DateTimeException notATime) {
      throw fields.invalid("at", "must be a time in UTC, as 2026-12-31T23:59:59Z");
    }
  }

  /** Reads what is to be taken away: of whom, and exactly one thing. */
  public static Revoking revoking(Fields fields) throws InvalidDocument {
    Revoking what =
        new Revoking(
            name(fields, "tenant"),
            name(fields, "agent"),
            fields.textOrNull("capability", TEXT_LENGTH_MAX),
            fields.textOrNull("tool", TEXT_LENGTH_MAX),
            fields.textOrNull("syscall", TEXT_LENGTH_MAX),
            reason(fields));
    long things = List.of("capability", "tool", "syscall").stream().filter(fields::has).count();
    if (things != 1) {
      throw fields.invalid("capability", "exactly one of capability, tool and syscall is named");
    }
    if (names(what).contains("")) {
      throw fields.invalid(
          fields.has("capability") ? "capability" : fields.has("tool") ? "tool" : "syscall",
          "must not be empty");
    }
    if (what.agent() != null && what.tenant() == null) {
      throw fields.missing("tenant");
    }
    return what;
  }

  private static @Nullable String name(Fields fields, String field) throws InvalidDocument {
    String name = fields.textOrNull(field);
    if (name != null && !AgentId.isName(name)) {
      throw fields.invalid(
          field, "is not the name of " + (field.equals("tenant") ? "a " : "an ") + field);
    }
    return name;
  }

  private static String reason(Fields fields) throws InvalidDocument {
    String reason = fields.textOrNull("reason", REASON_LENGTH_MAX);
    if (reason == null || reason.isBlank()) {
      throw fields.missing("reason");
    }
    return reason;
  }

  /** The bytes of {@code revocations.yaml}. */
  public byte[] write() {
    StringBuilder text = new StringBuilder();
    text.append(
        "# What is taken away besides all versions of the policy. May be edited by hand.\n");
    text.append("apiVersion: aion.os/v1\nkind: ").append(KIND).append("\nrevocations:");
    text.append(revocations.isEmpty() ? " []\n" : "\n");
    for (Revocation each : revocations) {
      text.append("  - ").append(json(each)).append('\n');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** JSON on one line is YAML too. */
  private static String json(Revocation each) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("id", each.id());
    each(each.what(), values);
    values.put("reason", each.what().reason());
    values.put("by", each.by());
    values.put("at", each.at().toString());
    return new String(Documents.write(values), StandardCharsets.UTF_8);
  }

  private static void each(Revoking what, Map<String, @Nullable Object> values) {
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put("tenant", what.tenant());
    all.put("agent", what.agent());
    all.put("capability", what.capability());
    all.put("tool", what.tool());
    all.put("syscall", what.syscall());
    all.forEach(
        (name, value) -> {
          if (value != null) {
            values.put(name, value);
          }
        });
  }

  private static String digest(Revoking what) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    each(what, values);
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha256.digest(Documents.write(values)), 0, 6);
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }
}
