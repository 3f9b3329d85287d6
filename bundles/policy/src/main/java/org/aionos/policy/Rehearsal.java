package org.aionos.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Decision;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Page;
import org.aionos.kernel.JournalReader.Query;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.ToolCatalog;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.policy.PolicyVersions.DryRun;
import org.aionos.kernel.policy.PolicyVersions.Example;
import org.aionos.policies.RuleBook;
import org.jspecify.annotations.Nullable;

/**
 * Decides calls of the past again, by two versions. What the journal does not hold is taken at its
 * best: tasks have read nothing of little trust, and handlers need nothing besides what the call
 * names.
 */
final class Rehearsal {

  /** A day of a quiet kernel, some minutes of a busy one; takes about a second. */
  static final int CALLS_MAX = 10_000;

  /** Between the calls stand other records; so many are looked at. */
  private static final int PAGES_MAX = 60;

  private static final int PAGE = 1_000;
  private static final int EXAMPLES_MAX = 20;
  private static final String INVOKE = "tool.invoke";

  private final JournalReader journal;
  private final ProcessTable processes;
  private final Map<String, Set<String>> toolNeeds = new HashMap<>();
  private final Map<AgentId, Optional<AgentProcess>> agents = new HashMap<>();
  private final RuleBook now;
  private final RuleBook then;
  private final List<Example> examples = new ArrayList<>();
  private long decided;
  private long skipped;
  private long refused;
  private long allowed;
  private long approvals;

  /**
   * @param tools null while nobody knows of tools: then none needs anything
   */
  Rehearsal(
      JournalReader journal,
      ProcessTable processes,
      @Nullable ToolCatalog tools,
      RuleBook now,
      RuleBook then) {
    this.journal = journal;
    this.processes = processes;
    this.now = now;
    this.then = then;
    if (tools != null) {
      tools
          .tools()
          .forEach(
              tool -> toolNeeds.put(tool.manifest().name(), Set.copyOf(tool.manifest().needs())));
    }
  }

  DryRun run(String version, String against) {
    Set<String> ended = new HashSet<>();
    Long before = null;
    for (int pages = 0; pages < PAGES_MAX && decided + skipped < CALLS_MAX; pages++) {
      Page page = journal.query(new Query(null, null, null, null, null, null, null, before, PAGE));
      for (Entry entry : page.entries()) {
        if (entry.kind().equals("syscall.ended")) {
          ended.add(String.valueOf(entry.facts().get("asked")));
        } else if (entry.kind().equals("syscall.asked")
            && ended.remove(entry.auditId())
            && decided + skipped < CALLS_MAX) {
          decide(entry);
        }
      }
      before = page.next();
      if (before == null) {
        break;
      }
    }
    return new DryRun(
        version, against, decided, skipped, refused, allowed, approvals, List.copyOf(examples));
  }

  private void decide(Entry asked) {
    Optional<AgentProcess> agent = agent(asked.facts().get("agent"));
    String name = String.valueOf(asked.facts().get("syscall"));
    if (agent.isEmpty()) {
      skipped++;
      return;
    }
    String tool =
        name.equals(INVOKE) && asked.facts().get("tool") instanceof String text ? text : null;
    Syscall syscall = syscall(agent.get().id(), name, asked.facts().get("caps_required"));
    Decision one = decide(now, syscall, agent.get(), tool);
    Decision other = decide(then, syscall, agent.get(), tool);
    decided++;
    count(asked, tool, one, other);
  }

  private Optional<AgentProcess> agent(@Nullable Object written) {
    try {
      return agents.computeIfAbsent(AgentId.parse(String.valueOf(written)), processes::find);
    } catch (IllegalArgumentException noAgent) {
      return Optional.empty();
    }
  }

  private static Syscall syscall(AgentId agent, String name, @Nullable Object capsRequired) {
    Set<String> capabilities = new HashSet<>();
    if (capsRequired instanceof List<?> list) {
      list.forEach(each -> capabilities.add(String.valueOf(each)));
    }
    return new Syscall(
        name,
        agent,
        Caller.agentKey("dry-run", agent),
        Syscall.Context.NONE,
        capabilities,
        Map.of(),
        Syscall.Budget.NONE,
        "");
  }

  private Decision decide(
      RuleBook book, Syscall syscall, AgentProcess agent, @Nullable String tool) {
    Decision decision = book.decide(syscall, agent, Set.of());
    if (tool == null || decision instanceof Decision.Deny) {
      return decision;
    }
    Decision.Allow permit =
        decision instanceof Decision.AfterApproval asking
            ? asking.allow()
            : (Decision.Allow) decision;
    Decision ofTool =
        book.decideTool(permit, agent, tool, toolNeeds.getOrDefault(tool, Set.of()), Trust.HIGH);
    return ofTool instanceof Decision.Allow ? decision : ofTool;
  }

  private void count(Entry asked, @Nullable String tool, Decision one, Decision other) {
    String before = word(one);
    String after = word(other);
    if (before.equals(after)) {
      return;
    }
    if (after.equals("deny")) {
      refused++;
    } else if (after.equals("approve") && before.equals("allow")) {
      approvals++;
    } else {
      allowed++;
    }
    if (examples.size() < EXAMPLES_MAX) {
      examples.add(
          new Example(
              asked.auditId(),
              String.valueOf(asked.facts().get("agent")),
              String.valueOf(asked.facts().get("syscall")),
              tool,
              before,
              after,
              other.rule()));
    }
  }

  private static String word(Decision decision) {
    if (decision instanceof Decision.Deny) {
      return "deny";
    }
    return decision instanceof Decision.AfterApproval ? "approve" : "allow";
  }
}
