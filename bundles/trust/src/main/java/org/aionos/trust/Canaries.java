package org.aionos.trust;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCanaries.Canary;
import org.aionos.kernel.ToolCanaries.Figures;
import org.aionos.kernel.ToolCatalog;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Bundle;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Versions that run beside the one of their tool, for a share of its calls. Whether their jars may
 * come in was decided before. Not safe for use by several threads at once.
 */
final class Canaries {

  private static final Logger log = LoggerFactory.getLogger(Canaries.class);

  private final ToolStore store;
  private final ToolBundles bundles;
  private final ToolCatalog catalog;
  private final Executor soon;
  private final BiConsumer<String, Map<String, Object>> record;

  /** By tool. */
  private final Map<String, ToolCatalog.Trial> trials = new HashMap<>();

  /**
   * @param soon runs a change by itself, on another thread and alone
   * @param record puts on record what has happened, whether or not it can
   */
  Canaries(
      ToolStore store,
      ToolBundles bundles,
      ToolCatalog catalog,
      Executor soon,
      BiConsumer<String, Map<String, Object>> record) {
    this.store = store;
    this.bundles = bundles;
    this.catalog = catalog;
    this.soon = soon;
    this.record = record;
  }

  List<Canary> list() {
    return new TreeMap<>(store.canaries()).keySet().stream().map(this::canary).toList();
  }

  /**
   * @throws Refused {@code CONFLICT}
   */
  void refuseIfThereIs(String tool) {
    if (store.canaries().containsKey(tool)) {
      throw new Refused(
          Problem.of(Code.CONFLICT, tool + " has a canary; promote it or end it first")
              .admittedBy("aion:canary-promote " + tool + ", or aion:canary-end " + tool));
    }
  }

  void begin(
      ToolJar jar, byte @Nullable [] signature, ToolStore.Share share, Map<String, Object> facts) {
    String tool = jar.manifest().name();
    ToolStore.Entry old = store.tools().get(tool);
    checkPercent(share.percent());
    refuseIfThereIs(tool);
    if (old == null || old.version().equals(share.entry().version())) {
      throw new Refused(
          Code.CONFLICT,
          "a canary runs beside another version of its tool, and there is none; install it");
    }
    // Before it is there: without a trial the highest version takes all calls.
    beginTrial(tool, share);
    try {
      bundles.bringUp(jar);
      store.putBeside(jar, signature, share);
    } catch (RuntimeException failed) {
      drop(tool, share);
      throw failed;
    }
    Map<String, Object> begun = new LinkedHashMap<>(facts);
    begun.put("percent", share.percent());
    record.accept("tool.canary_begun", begun);
  }

  Canary weigh(String tool, int percent, String by) {
    checkPercent(percent);
    ToolStore.Share share = new ToolStore.Share(of(tool).entry(), percent);
    store.weigh(tool, share);
    ToolCatalog.Trial trial = trials.get(tool);
    if (trial != null) {
      trial.weigh(percent);
    }
    record.accept(
        "tool.canary_weighed",
        Map.of("tool", tool, "version", share.entry().version(), "percent", percent, "by", by));
    return canary(tool);
  }

  void promote(String tool, String by) {
    ToolStore.Share share = of(tool);
    ToolStore.Entry old = store.tools().get(tool);
    store.promote(tool, share.entry());
    if (old != null) {
      uninstall(tool, old);
    }
    endTrial(tool);
    record.accept(
        "tool.canary_promoted", Map.of("tool", tool, "version", share.entry().version(), "by", by));
  }

  void end(String tool, String by) {
    ToolStore.Share share = of(tool);
    drop(tool, share);
    record.accept(
        "tool.canary_ended", Map.of("tool", tool, "version", share.entry().version(), "by", by));
  }

  /** The old version takes all calls again, for a reason that nobody gave us. */
  void returnToOld(String tool, ToolStore.Share share, String why) {
    String version = share.entry().version();
    log.error("canary returned: tool={} version={} why={}", tool, version, why);
    drop(tool, share);
    record.accept("tool.canary_returned", Map.of("tool", tool, "version", version, "why", why));
  }

  /**
   * After a restart, of the kernel or of us, and whenever trust is looked at again.
   *
   * @param jar null if it may run on, but not come in
   */
  void goOn(String tool, ToolStore.Share share, @Nullable ToolJar jar) {
    boolean isRunning = bundles.running(tool, share.entry().digest()) != null;
    if (!trials.containsKey(tool) && (isRunning || jar != null)) {
      beginTrial(tool, share);
    }
    if (!isRunning && jar != null) {
      bundles.bringBack(jar);
    }
  }

  private ToolStore.Share of(String tool) {
    ToolStore.Share share = store.canaries().get(tool);
    if (share == null) {
      throw new Refused(Code.NOT_FOUND, tool + " has no canary");
    }
    return share;
  }

  private static void checkPercent(int percent) {
    if (percent < 1 || percent > 99) {
      throw new Refused(
          Code.INVALID_FIELD, "a canary takes 1 to 99 percent of the calls, not " + percent);
    }
  }

  private Canary canary(String tool) {
    ToolStore.Share share = of(tool);
    ToolStore.Entry old = store.tools().get(tool);
    ToolCatalog.Trial trial = trials.get(tool);
    return new Canary(
        tool,
        share.entry().version(),
        old == null ? "" : old.version(),
        share.percent(),
        trial == null ? Figures.NONE : trial.onTrial(),
        trial == null ? Figures.NONE : trial.others());
  }

  private void beginTrial(String tool, ToolStore.Share share) {
    ToolStore.Entry entry = share.entry();
    trials.put(
        tool,
        catalog.trial(
            tool,
            entry.version(),
            share.percent(),
            // Not on this thread: the call that tipped the scales holds the tool.
            why -> soon.execute(() -> deviated(tool, entry, why))));
  }

  private void deviated(String tool, ToolStore.Entry entry, String why) {
    ToolStore.Share share = store.canaries().get(tool);
    if (share != null && share.entry().equals(entry)) {
      returnToOld(tool, share, why);
    }
  }

  /** The trial ends last: until the canary is gone, it must not get the calls of all. */
  private void drop(String tool, ToolStore.Share share) {
    uninstall(tool, share.entry());
    store.removeCanary(tool);
    endTrial(tool);
  }

  private void uninstall(String tool, ToolStore.Entry entry) {
    Bundle bundle = bundles.running(tool, entry.digest());
    if (bundle != null) {
      bundles.uninstall(bundle);
    }
  }

  private void endTrial(String tool) {
    ToolCatalog.Trial trial = trials.remove(tool);
    if (trial != null) {
      trial.close();
    }
  }
}
