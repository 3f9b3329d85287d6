package org.aionos.sandbox;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;

/**
 * Which system calls a tool may make, as OCI runtimes write it. What no rule names gets {@code
 * otherwise}, which never admits a call.
 *
 * @param otherwise what the kernel is told of a call that no rule names
 */
record SeccompProfile(int otherwise, List<Rule> rules) {

  static final int ALLOW = 0x7fff0000;
  static final int KILL_PROCESS = 0x80000000;
  private static final int KILL_THREAD = 0;
  private static final int TRAP = 0x00030000;
  private static final int LOG = 0x7ffc0000;
  private static final int ERRNO = 0x00050000;
  private static final int ERRNO_MAX = 0xfff;

  private static final int EPERM = 1;
  private static final int ARGUMENTS = 6;
  private static final int RULES_MAX = 1_000;
  private static final int NAMES_MAX = 1_000;
  private static final BigInteger UNSIGNED_MAX =
      BigInteger.ONE.shiftLeft(Long.SIZE).subtract(BigInteger.ONE);

  SeccompProfile {
    rules = List.copyOf(rules);
  }

  /**
   * @param action what the kernel is told, if all arguments compare so
   */
  record Rule(Set<String> names, int action, List<Comparison> arguments) {
    Rule {
      names = Set.copyOf(names);
      arguments = List.copyOf(arguments);
    }
  }

  /**
   * One argument of a call, all 64 bits of it, beside a value.
   *
   * @param value the operand; of {@code MASKED_EQ} the mask
   * @param valueTwo of {@code MASKED_EQ} what the masked argument must be
   */
  record Comparison(int index, Operator operator, long value, long valueTwo) {}

  /** Whether a rule holds one argument against two values. */
  boolean comparesAnArgumentTwice() {
    return rules.stream()
        .anyMatch(
            rule ->
                rule.arguments.stream().map(Comparison::index).distinct().count()
                    < rule.arguments.size());
  }

  /** The profile as the part {@code linux.seccomp} of a runtime's configuration. */
  Map<String, Object> forOciRuntimes() {
    Map<String, Object> profile = new LinkedHashMap<>();
    putAction(profile, "defaultAction", "defaultErrnoRet", otherwise);
    profile.put("architectures", List.of("SCMP_ARCH_X86_64"));
    profile.put("syscalls", rules.stream().map(SeccompProfile::forOciRuntimes).toList());
    return profile;
  }

  private static Map<String, Object> forOciRuntimes(Rule rule) {
    Map<String, Object> written = new LinkedHashMap<>();
    written.put("names", rule.names.stream().sorted().toList());
    putAction(written, "action", "errnoRet", rule.action);
    if (!rule.arguments.isEmpty()) {
      written.put("args", rule.arguments.stream().map(SeccompProfile::forOciRuntimes).toList());
    }
    return written;
  }

  private static Map<String, Object> forOciRuntimes(Comparison argument) {
    Map<String, Object> written = new LinkedHashMap<>();
    written.put("index", argument.index);
    written.put("value", new BigInteger(Long.toUnsignedString(argument.value)));
    written.put("valueTwo", new BigInteger(Long.toUnsignedString(argument.valueTwo)));
    written.put("op", "SCMP_CMP_" + argument.operator);
    return written;
  }

  private static void putAction(
      Map<String, Object> written, String name, String errnoName, int action) {
    if ((action & ~ERRNO_MAX) == ERRNO) {
      written.put(name, "SCMP_ACT_ERRNO");
      written.put(errnoName, action & ERRNO_MAX);
      return;
    }
    written.put(
        name,
        switch (action) {
          case ALLOW -> "SCMP_ACT_ALLOW";
          case LOG -> "SCMP_ACT_LOG";
          case TRAP -> "SCMP_ACT_TRAP";
          case KILL_THREAD -> "SCMP_ACT_KILL_THREAD";
          case KILL_PROCESS -> "SCMP_ACT_KILL_PROCESS";
          default -> throw new IllegalStateException("no action has the number " + action);
        });
  }

  enum Operator {
    EQ,
    NE,
    LT,
    LE,
    GE,
    GT,
    MASKED_EQ
  }

  /**
   * Reads the JSON of an OCI seccomp profile. Rules that need a capability or a version of the
   * kernel are left out, for a tool never holds the one and we do not ask for the other.
   *
   * @throws InvalidDocument also for a profile that admits what it does not name
   */
  static SeccompProfile read(byte[] json) throws InvalidDocument {
    Fields root =
        Documents.json(json)
            .only(
                "defaultAction",
                "defaultErrnoRet",
                "architectures",
                "archMap",
                "syscalls",
                "comment");
    int otherwise = action(root, "defaultAction", "defaultErrnoRet");
    if (otherwise == ALLOW || otherwise == LOG) {
      throw root.invalid("defaultAction", "must refuse: what a profile does not name is denied");
    }
    List<Rule> rules = new ArrayList<>();
    for (Fields rule : root.list("syscalls")) {
      if (applies(rule)) {
        rules.add(rule(rule));
      }
    }
    if (rules.isEmpty() || rules.size() > RULES_MAX) {
      throw root.invalid("syscalls", "must have from 1 to " + RULES_MAX + " rules");
    }
    return new SeccompProfile(otherwise, rules);
  }

  private static boolean applies(Fields rule) throws InvalidDocument {
    Fields includes = rule.objectOrEmpty("includes").only("caps", "arches", "minKernel");
    rule.objectOrEmpty("excludes").only("caps", "arches", "minKernel");
    boolean conditional =
        !includes.texts("caps", NAMES_MAX).isEmpty()
            || !includes.texts("arches", NAMES_MAX).isEmpty()
            || includes.has("minKernel");
    if (!conditional) {
      return true;
    }
    // Leaving out a rule that admits makes the profile stricter. Leaving out one that forbids does
    // not, so we do not guess.
    if (action(rule, "action", "errnoRet") != ALLOW) {
      throw rule.invalid("includes", "may only stand with SCMP_ACT_ALLOW");
    }
    return false;
  }

  private static Rule rule(Fields rule) throws InvalidDocument {
    rule.only("names", "action", "errnoRet", "args", "comment", "includes", "excludes");
    Set<String> names = rule.texts("names", NAMES_MAX);
    if (names.isEmpty()) {
      throw rule.missing("names");
    }
    List<Comparison> arguments = new ArrayList<>();
    for (Fields argument : rule.list("args")) {
      arguments.add(comparison(argument));
    }
    if (arguments.size() > ARGUMENTS) {
      throw rule.invalid("args", "must have at most " + ARGUMENTS + " items");
    }
    return new Rule(names, action(rule, "action", "errnoRet"), arguments);
  }

  private static Comparison comparison(Fields argument) throws InvalidDocument {
    argument.only("index", "value", "valueTwo", "op");
    Long index = argument.wholeNumberOrNull("index", 0, ARGUMENTS - 1);
    if (index == null) {
      throw argument.missing("index");
    }
    String operator = argument.text("op");
    for (Operator known : Operator.values()) {
      if (operator.equals("SCMP_CMP_" + known)) {
        return new Comparison(
            index.intValue(), known, unsigned(argument, "value"), unsigned(argument, "valueTwo"));
      }
    }
    throw argument.invalid("op", "unknown comparison " + operator);
  }

  private static long unsigned(Fields argument, String name) throws InvalidDocument {
    Object value = argument.value(name);
    if (value == null) {
      return 0;
    }
    if (value instanceof Integer || value instanceof Long || value instanceof BigInteger) {
      BigInteger number = new BigInteger(value.toString());
      if (number.signum() >= 0 && number.compareTo(UNSIGNED_MAX) <= 0) {
        return number.longValue();
      }
    }
    throw argument.invalid(name, "must be a whole number from 0 to " + UNSIGNED_MAX);
  }

  private static int action(Fields fields, String name, String errnoName) throws InvalidDocument {
    String action = fields.text(name);
    int errno = (int) fields.wholeNumber(errnoName, EPERM, 0, ERRNO_MAX);
    return switch (action) {
      case "SCMP_ACT_ALLOW" -> ALLOW;
      case "SCMP_ACT_LOG" -> LOG;
      case "SCMP_ACT_ERRNO" -> ERRNO | errno;
      case "SCMP_ACT_TRAP" -> TRAP;
      case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD" -> KILL_THREAD;
      case "SCMP_ACT_KILL_PROCESS" -> KILL_PROCESS;
      default -> throw fields.invalid(name, "unknown action " + action);
    };
  }
}
