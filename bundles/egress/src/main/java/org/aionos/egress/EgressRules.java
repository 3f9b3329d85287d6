package org.aionos.egress;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Egress;
import org.jspecify.annotations.Nullable;

/**
 * {@code egress.yaml}: who may ask what of whom, and whose credentials go with it. Default deny.
 */
record EgressRules(List<Rule> rules, List<Credential> credentials) {

  static final EgressRules NOTHING = new EgressRules(List.of(), List.of());

  private static final Pattern HOST =
      Pattern.compile("(\\*\\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]*");
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
  private static final Pattern HEADER = Pattern.compile("[A-Za-z0-9-]{1,64}");
  private static final Set<String> SCHEMES = Set.of("https", "http");
  private static final int COUNT_MAX = 1_000;

  /** Stands for the syscall itself among the tools of a rule. */
  static final String NO_TOOL = "net.fetch";

  /**
   * @param privateToo whether addresses that are not public are reached too
   */
  record Rule(
      String name,
      Set<String> tenants,
      Set<String> agents,
      Set<String> tools,
      Set<String> hosts,
      Set<String> schemes,
      Set<Long> ports,
      Set<String> methods,
      Set<String> paths,
      boolean privateToo) {

    private boolean admits(String method, Target target, Egress.Via via) {
      return any(tenants, via.agent().tenant())
          && any(agents, via.agent().name())
          && any(tools, via.tool() == null ? NO_TOOL : via.tool())
          && hosts.stream().anyMatch(host -> isHost(host, target.host()))
          && schemes.contains(target.scheme())
          && (ports.isEmpty()
              ? target.port() == (target.scheme().equals("https") ? 443 : 80)
              : ports.contains((long) target.port()))
          && any(methods, method)
          && any(paths, target.path());
    }
  }

  /**
   * @param secret its name in {@code secrets.yaml}
   */
  record Credential(String host, String path, String header, String secret) {

    boolean isFor(Target target) {
      return target.scheme().equals("https") && fits(target);
    }

    /** As {@link #isFor}, for rules that let a private host be asked without TLS. */
    boolean fits(Target target) {
      return isHost(host, target.host()) && glob(path, target.path());
    }
  }

  /** The first rule that lets a request out; null if none does. */
  @Nullable Rule admitting(String method, Target target, Egress.Via via) {
    for (Rule rule : rules) {
      if (rule.admits(method, target, via)) {
        return rule;
      }
    }
    return null;
  }

  static EgressRules read(byte[] yaml) throws InvalidDocument {
    Fields root = Documents.yaml(yaml).only("apiVersion", "kind", "rules", "credentials");
    if (!root.text("apiVersion").equals("aion.os/v1")) {
      throw root.invalid("apiVersion", "must be aion.os/v1");
    }
    if (!root.text("kind").equals("EgressPolicy")) {
      throw root.invalid("kind", "must be EgressPolicy");
    }
    List<Rule> rules = new ArrayList<>();
    for (Fields rule : listOrEmpty(root, "rules")) {
      rules.add(rule(rule));
    }
    List<Credential> credentials = new ArrayList<>();
    for (Fields credential : listOrEmpty(root, "credentials")) {
      credentials.add(credential(credential));
    }
    return new EgressRules(List.copyOf(rules), List.copyOf(credentials));
  }

  private static List<Fields> listOrEmpty(Fields fields, String name) throws InvalidDocument {
    return fields.has(name) ? fields.list(name) : List.of();
  }

  private static Rule rule(Fields rule) throws InvalidDocument {
    rule.only(
        "name", "tenants", "agents", "tools", "hosts", "schemes", "ports", "methods", "paths",
        "private");
    return new Rule(
        matching(rule, "name", NAME),
        some(rule, "tenants"),
        someOr(rule, "agents", "*"),
        someOr(rule, "tools", "*"),
        hosts(rule),
        schemes(rule),
        ports(rule),
        someOr(rule, "methods", "GET"),
        someOr(rule, "paths", "*"),
        rule.flag("private", false));
  }

  private static Credential credential(Fields credential) throws InvalidDocument {
    credential.only("host", "path", "header", "secret");
    return new Credential(
        matching(credential, "host", HOST),
        credential.text("path", "*"),
        matching(credential, "header", HEADER).toLowerCase(Locale.ROOT),
        matching(credential, "secret", NAME));
  }

  private static Set<String> some(Fields rule, String name) throws InvalidDocument {
    Set<String> texts = rule.texts(name, COUNT_MAX);
    if (texts.isEmpty()) {
      throw rule.invalid(name, "must name at least one; \"*\" is all");
    }
    for (String text : texts) {
      int star = text.indexOf('*');
      if (star >= 0 && star < text.length() - 1 && !name.equals("hosts")) {
        throw rule.invalid(name, "'" + text + "' has a star that is not at its end");
      }
    }
    return texts;
  }

  private static Set<String> someOr(Fields rule, String name, String absent)
      throws InvalidDocument {
    return rule.has(name) ? some(rule, name) : Set.of(absent);
  }

  private static Set<String> hosts(Fields rule) throws InvalidDocument {
    Set<String> hosts = some(rule, "hosts");
    for (String host : hosts) {
      if (!HOST.matcher(host).matches()) {
        throw rule.invalid(
            "hosts", "'" + host + "' is no host: a name, *.name for all below it, or an address");
      }
    }
    return hosts;
  }

  private static Set<String> schemes(Fields rule) throws InvalidDocument {
    Set<String> schemes = someOr(rule, "schemes", "https");
    if (!SCHEMES.containsAll(schemes)) {
      throw rule.invalid("schemes", "are https and http");
    }
    return schemes;
  }

  private static Set<Long> ports(Fields rule) throws InvalidDocument {
    Set<Long> ports = new java.util.HashSet<>();
    if (rule.value("ports") instanceof List<?> given) {
      for (Object port : given) {
        if (!(port instanceof Integer number) || number < 1 || number > 65_535) {
          throw rule.invalid("ports", "are whole numbers from 1 to 65535");
        }
        ports.add(number.longValue());
      }
    } else if (rule.has("ports")) {
      throw rule.invalid("ports", "must be a list");
    }
    return Set.copyOf(ports);
  }

  private static String matching(Fields fields, String name, Pattern form) throws InvalidDocument {
    String text = fields.text(name);
    if (!form.matcher(text).matches()) {
      throw fields.invalid(name, "must match " + form.pattern());
    }
    return text;
  }

  /** {@code *.example.com} is every host below it, and not it; names are not matched by parts. */
  private static boolean isHost(String rule, String host) {
    return rule.startsWith("*.") ? host.endsWith(rule.substring(1)) : rule.equals(host);
  }

  private static boolean any(Set<String> globs, String text) {
    return globs.stream().anyMatch(glob -> glob(glob, text));
  }

  /** A star at the end, or alone; in the middle it would be too easy to write too much. */
  private static boolean glob(String glob, String text) {
    return glob.endsWith("*")
        ? text.startsWith(glob.substring(0, glob.length() - 1))
        : glob.equals(text);
  }
}
