package org.aionos.router;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.Blame;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Egress;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Policy;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SearchIndex;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.memory.Trust;
import org.aionos.kernel.policy.Approvals;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves {@code tool.invoke} and {@code tool.list}. The only place where a tool's code is entered.
 */
@Component(
    service = SyscallHandler.class,
    configurationPid = "org.aionos.router",
    configurationPolicy = ConfigurationPolicy.REQUIRE,
    property = {
      SyscallHandler.NAMES + "=" + ToolCalls.INVOKE,
      SyscallHandler.NAMES + "=" + ToolCalls.LIST
    })
public final class ToolCalls implements SyscallHandler {

  static final String INVOKE = "tool.invoke";
  static final String LIST = "tool.list";

  /** The param that names the tool; all others are the tool's own. */
  static final String TOOL = "tool";

  private static final Logger log = LoggerFactory.getLogger(ToolCalls.class);

  private final ToolTable tools;
  private final Policy policy;
  private final Approvals approvals;
  private final TaintedTasks tasks;
  private final Workspaces workspaces;
  private final ToolSettings settings;
  private final Watchdog watchdog;
  private final InstantSource clock;
  private final LongSupplier nanoClock;
  private final int resultBytesMax;

  /** Tools run without it, and those that want out are told. */
  @Reference(
      name = "egress",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable Egress egress;

  @Reference(
      name = "documents",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  volatile @Nullable SearchIndex documents;

  @Activate
  public ToolCalls(
      RouterConfig config,
      @Reference(name = "tools") ToolTable tools,
      @Reference(name = "policy") Policy policy,
      @Reference(name = "approvals") Approvals approvals,
      @Reference(name = "tasks") TaintedTasks tasks,
      @Reference(name = "workspaces") Workspaces workspaces,
      @Reference(name = "settings") ToolSettings settings,
      @Reference(name = "watchdog") Watchdog watchdog) {
    this(
        tools,
        policy,
        approvals,
        tasks,
        workspaces,
        settings,
        watchdog,
        InstantSource.system(),
        System::nanoTime,
        config.resultBytesMax());
  }

  ToolCalls(
      ToolTable tools,
      Policy policy,
      Approvals approvals,
      TaintedTasks tasks,
      Workspaces workspaces,
      ToolSettings settings,
      Watchdog watchdog,
      InstantSource clock,
      LongSupplier nanoClock,
      int resultBytesMax) {
    this.tools = tools;
    this.policy = policy;
    this.approvals = approvals;
    this.tasks = tasks;
    this.workspaces = workspaces;
    this.settings = settings;
    this.watchdog = watchdog;
    this.clock = clock;
    this.nanoClock = nanoClock;
    this.resultBytesMax = resultBytesMax;
  }

  @Override
  public Outcome.Ok run(Admitted call) throws InterruptedException {
    return call.syscall().name().equals(LIST) ? list(call) : invoke(call);
  }

  /** What the operator has set as the price of one call of the tool. */
  @Override
  public Outcome.Spent atMost(Syscall syscall) {
    return syscall.name().equals(INVOKE) && syscall.params().get(TOOL) instanceof String tool
        ? priceOf(tool)
        : Outcome.Spent.NOTHING;
  }

  private Outcome.Spent priceOf(String tool) {
    int version = tool.indexOf('@');
    BigDecimal usd = settings.priceUsd(version < 0 ? tool : tool.substring(0, version));
    return usd.signum() == 0 ? Outcome.Spent.NOTHING : new Outcome.Spent(usd, 0, 0);
  }

  private Outcome.Ok invoke(Admitted call) throws InterruptedException {
    String name = toolName(call.syscall().params());
    try (ToolLease lease =
        tools
            .lease(name)
            .orElseThrow(
                () ->
                    new Refused(
                        Problem.at(
                            "/params/tool",
                            Code.UNKNOWN_TOOL,
                            "no tool '"
                                + name
                                + "' is installed; tool.list names those that are")))) {
      InstalledTool installed = lease.installed();
      ToolManifest manifest = installed.manifest();
      requireAffordable(call.syscall(), manifest);
      Decision decision = decide(call, manifest, tasks.of(call.syscall()));
      if (decision instanceof Decision.Deny deny) {
        throw new Refused(deny.problem());
      }
      if (!installed.begin()) {
        throw new Refused(
            Code.TOOL_BUSY,
            name
                + " already runs as many calls as its manifest admits, "
                + manifest.concurrencyMax());
      }
      try {
        if (decision instanceof Decision.AfterApproval waiting) {
          approvals.use(waiting, call.asked(), installed.subject());
        }
        return lease.trial() == null
            ? enter(call, installed)
            : enter(call, installed, lease.trial());
      } finally {
        installed.done();
      }
    }
  }

  private void requireAffordable(Syscall syscall, ToolManifest manifest) {
    BigDecimal named = syscall.budget().usdMax();
    BigDecimal price = settings.priceUsd(manifest.name());
    if (named != null && price.compareTo(named) > 0) {
      throw new Refused(
          Problem.at(
              "/budget/usd_max",
              Code.BUDGET_EXHAUSTED,
              "a call of " + manifest.name() + " costs more: " + price + " USD"));
    }
  }

  private Decision decide(Admitted call, ToolManifest manifest, Trust trust) {
    return policy.decideTool(call.permit(), call.agent(), manifest.name(), manifest.needs(), trust);
  }

  /** While a version is on trial, how each call ends is told. */
  private Outcome.Ok enter(Admitted call, InstalledTool installed, VersionTrial trial)
      throws InterruptedException {
    Duration allowed = Duration.between(clock.instant(), call.deadline());
    Duration toolMax = Duration.ofMillis(installed.manifest().timeoutMillisMax());
    long begun = nanoClock.getAsLong();
    try {
      Outcome.Ok outcome = enter(call, installed);
      trial.ended(installed, false, nanoClock.getAsLong() - begun);
      return outcome;
    } catch (Refused refused) {
      Code code = refused.problem().code();
      // What the kernel, or the caller's arguments, stood in the way of says nothing of the tool.
      if (code.blame() == Blame.TOOL || code == Code.TOOL_FAILED) {
        trial.ended(installed, code != Code.TOOL_FAILED, nanoClock.getAsLong() - begun);
      }
      throw refused;
    } catch (InterruptedException stopped) {
      long took = nanoClock.getAsLong() - begun;
      // Before its deadline it was cancelled, which any caller may do.
      if (took >= Math.min(allowed.toNanos(), toolMax.toNanos())) {
        trial.ended(installed, true, took);
      }
      throw stopped;
    }
  }

  private Outcome.Ok enter(Admitted call, InstalledTool installed) throws InterruptedException {
    ToolManifest manifest = installed.manifest();
    Instant deadline = deadline(call, manifest);
    Map<String, @Nullable Object> arguments = new LinkedHashMap<>(call.syscall().params());
    arguments.remove(TOOL);
    installed.checkArguments(arguments);
    tasks.mayRead(call.syscall(), manifest.needs());
    ToolCall toolCall =
        new ToolCall(
            call.asked().auditId(),
            manifest.name(),
            arguments,
            deadline,
            call.syscall().context().traceId());
    try (CallEffects effects =
        new CallEffects(
            granted(call, manifest),
            workspaces.of(call.syscall().agent()),
            egress,
            new Egress.Via(call.syscall().agent(), manifest.name(), toolCall.id()),
            documents,
            settings.of(manifest.name()),
            call.interim())) {
      ToolResult result = installed.invoke(toolCall, call.syscall().agent(), effects);
      var value = new ResultCheck(resultBytesMax).checked(result.value());
      installed.checkResult(value);
      return new Outcome.Ok(
          value,
          new Outcome.Spent(result.costUsd().add(settings.priceUsd(manifest.name())), 0, 0),
          new Outcome.Engine("module", "tooling/" + manifest.nameAndVersion()));
    } catch (ToolFailure failure) {
      throw new Refused(
          Code.TOOL_FAILED,
          failure.code().name().toLowerCase(java.util.Locale.ROOT) + ": " + failure.getMessage());
    } catch (InterruptedException | Refused ours) {
      throw ours;
    } catch (Throwable fault) {
      // Everything: a tool can throw any Error, and any checked exception behind the compiler's
      // back, and neither may cost us the second half of the audit record.
      log.warn("tool fault: tool={} audit={}", manifest.nameAndVersion(), toolCall.id(), fault);
      throw new Refused(
          Code.TOOL_FAULT,
          "a fault of the tool " + manifest.nameAndVersion() + "; see the kernel's log");
    }
  }

  /** What the agent holds and the tool says it needs: a tool gets no more than it asked for. */
  private static Set<String> granted(Admitted call, ToolManifest manifest) {
    Set<String> granted = new HashSet<>(call.permit().grants());
    granted.retainAll(manifest.needs());
    return granted;
  }

  private Instant deadline(Admitted call, ToolManifest manifest) {
    Duration toolMax = Duration.ofMillis(manifest.timeoutMillisMax());
    Instant toolDeadline = clock.instant().plus(toolMax);
    if (toolDeadline.isAfter(call.deadline())) {
      return call.deadline();
    }
    watchdog.narrow(toolMax);
    return toolDeadline;
  }

  private Outcome.Ok list(Admitted call) {
    List<Object> items = new ArrayList<>();
    Trust trust = tasks.of(call.syscall());
    for (var installed : tools.tools()) {
      ToolManifest manifest = installed.manifest();
      Decision decision = decide(call, manifest, trust);
      Map<String, @Nullable Object> item = new LinkedHashMap<>();
      item.put("name", manifest.name());
      item.put("version", manifest.version());
      item.put("description", manifest.description());
      item.put("capabilities_required", List.copyOf(manifest.needs()));
      item.put("input", manifest.input());
      item.put("output", manifest.output());
      item.put("allowed", !(decision instanceof Decision.Deny));
      item.put("approval_required", decision instanceof Decision.AfterApproval);
      items.add(item);
    }
    return Outcome.Ok.ofKernel(LIST, Map.of("items", items));
  }

  private static String toolName(Map<String, @Nullable Object> params) {
    Object name = params.get(TOOL);
    if (name instanceof String text && !text.isEmpty() && text.length() <= 128) {
      return text;
    }
    throw new Refused(
        Problem.at(
            "/params/tool",
            name == null ? Code.MISSING_FIELD : Code.INVALID_FIELD,
            "must name a tool, as web_search or web_search@1.2.0"));
  }
}
