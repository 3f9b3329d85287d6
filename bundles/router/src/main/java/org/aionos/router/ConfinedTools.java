package org.aionos.router;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolPackage;
import org.aionos.kernel.ToolTier;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.util.tracker.BundleTracker;
import org.osgi.util.tracker.BundleTrackerCustomizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The extender: makes tools of started bundles that hold no trusted code, each in the tier that its
 * {@code tool.yml} names. While a tier is being replaced its tools stay in the table and their
 * callers get 503; the tier that comes opens them anew.
 */
@Component(
    service = ConfinedTools.class,
    immediate = true,
    configurationPid = "org.aionos.router",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ConfinedTools implements BundleTrackerCustomizer<ConfinedTools.Extended> {

  private static final Logger log = LoggerFactory.getLogger(ConfinedTools.class);

  private final ToolTable tools;
  private final Duration drainMax;
  private final BundleTracker<Extended> tracker;

  /** Tier to its provider. Guarded by this, as is what follows. */
  private final Map<String, ToolTier> tiers = new HashMap<>();

  private final Map<String, Extended> byOrigin = new HashMap<>();

  @Activate
  public ConfinedTools(
      RouterConfig config, BundleContext context, @Reference(name = "tools") ToolTable tools) {
    this(Duration.ofMillis(config.drainMillisMax()), context, tools);
  }

  ConfinedTools(Duration drainMax, BundleContext context, ToolTable tools) {
    this.tools = tools;
    this.drainMax = drainMax;
    this.tracker = new BundleTracker<>(context, Bundle.ACTIVE, this);
  }

  @Activate
  void open() {
    tracker.open();
  }

  @Deactivate
  void close() {
    tracker.close();
  }

  /** The tool of one started bundle, opened or waiting for its tier. */
  static final class Extended {

    private final ToolPackage jar;
    private final String origin;
    private volatile @Nullable Opened opened;

    Extended(ToolPackage jar, String origin) {
      this.jar = jar;
      this.origin = origin;
    }

    private String tier() {
      return jar.manifest().tier();
    }

    private ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
        throws ToolFailure, InterruptedException {
      Opened now = opened;
      if (now == null || !now.callers.enter()) {
        throw new Refused(Code.RESTARTING, "the tier " + tier() + " is being replaced; retry");
      }
      try {
        return now.tool.invoke(call, agent, effects);
      } finally {
        now.callers.leave();
      }
    }
  }

  private record Opened(ConfinedTool tool, Holders callers) {}

  @Override
  public @Nullable Extended addingBundle(Bundle bundle, @Nullable BundleEvent event) {
    if (!BundlePackage.isTool(bundle)) {
      return null;
    }
    try {
      BundlePackage jar = new BundlePackage(bundle);
      return jar.manifest().tier().equals(ToolManifest.TRUSTED)
          ? null
          : add(new Extended(jar, bundle.getLocation()));
    } catch (Refused refused) {
      tools.refuse(bundle.getLocation(), refused.problem());
      return null;
    }
  }

  private synchronized Extended add(Extended tool) {
    byOrigin.put(tool.origin, tool);
    ToolTier tier = tiers.get(tool.tier());
    if (tier == null) {
      log.info("tool waits for its tier: bundle={} tier={}", tool.origin, tool.tier());
    } else {
      open(tool, tier);
    }
    return tool;
  }

  @Override
  public void modifiedBundle(Bundle bundle, @Nullable BundleEvent event, Extended tool) {}

  // The framework waits for this method before it stops the bundle: that wait is the drain.
  @Override
  public void removedBundle(Bundle bundle, @Nullable BundleEvent event, Extended tool) {
    synchronized (this) {
      byOrigin.remove(tool.origin);
    }
    tools.uninstall(tool.origin);
    close(tool);
  }

  @Reference(
      name = "tier",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  synchronized void bindTier(ToolTier tier, Map<String, Object> properties) {
    Set<String> names = HandlerTable.texts(properties.get(ToolTier.TIERS));
    log.info("tiers served: tiers={}", names);
    names.forEach(name -> tiers.put(name, tier));
    byOrigin.values().stream()
        .filter(tool -> names.contains(tool.tier()))
        .forEach(tool -> open(tool, tier));
  }

  void unbindTier(ToolTier tier) {
    withdraw(tier).forEach(this::close);
  }

  private synchronized List<Extended> withdraw(ToolTier tier) {
    List<Extended> served =
        byOrigin.values().stream().filter(tool -> tiers.get(tool.tier()) == tier).toList();
    tiers.values().removeIf(provider -> provider == tier);
    return served;
  }

  private void open(Extended tool, ToolTier tier) {
    Opened before = tool.opened;
    try {
      tool.opened = new Opened(tier.open(tool.jar), new Holders());
      tools.install(tool.jar.manifest(), tool.origin, tool::invoke);
    } catch (Refused refused) {
      takeOut(tool, refused.problem());
    } catch (RuntimeException | StackOverflowError | LinkageError bug) {
      // A stranger's code can find a fault of the tier's; the tools after it must still be opened.
      log.error("tier fault: bundle={} tier={}", tool.origin, tool.tier(), bug);
      takeOut(
          tool, Problem.of(Code.INVALID_FIELD, "the tier cannot open it; see the kernel's log"));
    }
    close(before);
  }

  private void takeOut(Extended tool, Problem why) {
    tools.uninstall(tool.origin);
    tools.refuse(tool.origin, why);
  }

  private void close(Extended tool) {
    Opened now = tool.opened;
    tool.opened = null;
    close(now);
  }

  private void close(@Nullable Opened opened) {
    if (opened != null) {
      opened.callers.drain(drainMax);
      opened.tool.close();
    }
  }
}
