package org.aionos.probes;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolGroups;
import org.aionos.kernel.ToolGroups.Group;
import org.aionos.kernel.ToolProbes;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches the groups of the tools that the settings name: loads the probes when the first of them
 * runs, and unloads them when none has run for a while. One thread does it all.
 */
@Component(
    service = ToolProbes.class,
    immediate = true,
    configurationPid = "org.aionos.probes",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = ProbesConfig.class)
public final class Probes implements ToolProbes {

  private static final Logger log = LoggerFactory.getLogger(Probes.class);

  /** Without a group to watch for so long, the probes are unloaded: they cost all of the host. */
  private static final Duration UNUSED_MAX = Duration.ofSeconds(30);

  /** A host that did not admit them is asked again after this. */
  private static final Duration RETRY = Duration.ofSeconds(60);

  /** One anomaly of a kind and tool is on record in this time; all of them are counted. */
  private static final Duration RECORD = Duration.ofSeconds(60);

  /** Above the probes' own map: more groups are not watched. */
  private static final int GROUPS_MAX = 1_024;

  private final List<String> names;
  private final Tally.Usual usual;
  private final Counters.Loader loader;
  private final Journal journal;
  private final LongSupplier nanoClock;
  private final Counted counted;
  private final ScheduledExecutorService looker =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-probes");
            thread.setDaemon(true);
            return thread;
          });

  /** Without it nothing runs that could be watched. */
  @Reference(
      name = "groups",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC)
  volatile @Nullable ToolGroups groups;

  /** Of the looking thread alone, as is what follows. */
  private final Map<Path, Watched> watched = new HashMap<>();

  private final Map<String, Long> recordedNanos = new HashMap<>();
  private @Nullable Counters counters;
  private long usedNanos;
  private long retryNanos;
  private long lastKey;

  /** Guarded by this, as is what follows. */
  private final Map<String, Tally> tallies = new TreeMap<>();

  private Status status;

  private static final class Watched {
    final String tool;
    final long key;
    Counts last = Counts.NONE;

    Watched(String tool, long key) {
      this.tool = tool;
      this.key = key;
    }
  }

  @Activate
  public Probes(
      ProbesConfig config,
      BundleContext context,
      @Reference(name = "meters") Meters meters,
      @Reference(name = "journal") Journal journal) {
    this(
        List.of(config.tools()),
        new Tally.Usual(config.ioBytesPerSecondMax(), config.deniedPerSecondMax()),
        () ->
            ProbeProgram.load(
                config.program().isEmpty()
                    ? ProbeProgram.unpack(
                        Path.of(String.valueOf(context.getProperty("aion.state")), "probes"))
                    : Path.of(config.program()),
                TimeUnit.MILLISECONDS.toNanos(config.slowMillis())),
        meters,
        journal,
        System::nanoTime);
    if (!names.isEmpty()) {
      looker.scheduleWithFixedDelay(
          this::lookOrLog, config.lookMillis(), config.lookMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** Probes that look when told to. */
  Probes(
      List<String> names,
      Tally.Usual usual,
      Counters.Loader loader,
      Meters meters,
      Journal journal,
      LongSupplier nanoClock) {
    this.names = names;
    this.usual = usual;
    this.loader = loader;
    this.journal = journal;
    this.nanoClock = nanoClock;
    this.counted = new Counted(meters);
    this.status = new Status(names.isEmpty() ? State.OFF : State.WAITING, "");
    this.retryNanos = nanoClock.getAsLong();
  }

  @Deactivate
  void close() {
    looker.shutdownNow();
    try {
      // Whoever looks right now speaks with the program.
      if (!looker.awaitTermination(5, TimeUnit.SECONDS)) {
        log.warn("the probes do not end");
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    unload();
  }

  @Override
  public synchronized Status status() {
    return status;
  }

  @Override
  public synchronized List<Reading> readings() {
    return tallies.entrySet().stream().map(each -> each.getValue().reading(each.getKey())).toList();
  }

  private void lookOrLog() {
    try {
      look();
    } catch (RuntimeException unexpected) {
      log.error("probes failed", unexpected);
      unload();
    }
  }

  /** Takes what was counted since the last look, and follows the groups that come and go. */
  void look() {
    Map<Path, String> wanted = wanted();
    long now = nanoClock.getAsLong();
    if (!wanted.isEmpty()) {
      usedNanos = now;
    }
    Counters loaded = counters;
    if (loaded == null && !wanted.isEmpty() && now - retryNanos >= 0) {
      loaded = load(now);
    }
    if (loaded == null) {
      return;
    }
    try {
      take(loaded, now);
      follow(loaded, wanted);
    } catch (IOException broken) {
      unavailable(broken, now);
    }
    if (now - usedNanos > UNUSED_MAX.toNanos()) {
      unload();
      is(State.WAITING, "");
    }
  }

  private Map<Path, String> wanted() {
    ToolGroups present = groups;
    Map<Path, String> wanted = new LinkedHashMap<>();
    for (Group group : present == null ? List.<Group>of() : present.groups()) {
      if (wanted.size() < GROUPS_MAX && names.stream().anyMatch(name -> fits(name, group.tool()))) {
        wanted.put(group.folder(), group.tool());
      }
    }
    return wanted;
  }

  private static boolean fits(String name, String tool) {
    return name.endsWith("*")
        ? tool.startsWith(name.substring(0, name.length() - 1))
        : tool.equals(name);
  }

  private @Nullable Counters load(long now) {
    try {
      counters = loader.load();
      is(State.WATCHING, "");
      return counters;
    } catch (IOException notAdmitted) {
      unavailable(notAdmitted, now);
      return null;
    }
  }

  private void unavailable(IOException why, long now) {
    unload();
    retryNanos = now + RETRY.toNanos();
    is(State.UNAVAILABLE, String.valueOf(why.getMessage()));
  }

  private void unload() {
    Counters loaded = counters;
    counters = null;
    watched.clear();
    if (loaded != null) {
      loaded.close();
    }
  }

  private synchronized void is(State state, String reason) {
    Status before = status;
    status = new Status(state, reason);
    if (!status.equals(before)) {
      log.info(
          "probes: {}{}",
          state.name().toLowerCase(java.util.Locale.ROOT),
          reason.isEmpty() ? "" : " (" + reason + ")");
    }
  }

  private void take(Counters loaded, long now) throws IOException {
    Map<Long, Counts> all = loaded.read();
    Map<String, Counts> more = new TreeMap<>();
    for (Watched each : watched.values()) {
      Counts counts = all.getOrDefault(each.key, each.last);
      more.merge(each.tool, counts.minus(each.last), Counts::plus);
      each.last = counts;
    }
    more.forEach((tool, counts) -> add(tool, counts, now));
  }

  private void add(String tool, Counts more, long now) {
    counted.add(tool, more);
    List<Tally.Anomaly> anomalies;
    synchronized (this) {
      anomalies = tallies.computeIfAbsent(tool, absent -> new Tally(usual, now)).add(more, now);
    }
    for (Tally.Anomaly anomaly : anomalies) {
      counted.add(tool, anomaly);
      record(tool, anomaly, now);
    }
  }

  private void record(String tool, Tally.Anomaly anomaly, long now) {
    String key = anomaly.kind() + " " + tool;
    Long last = recordedNanos.get(key);
    if (last != null && now - last < RECORD.toNanos()) {
      return;
    }
    recordedNanos.put(key, now);
    log.warn("tool is unusual: tool={} kind={} what={}", tool, anomaly.kind(), anomaly.what());
    try {
      journal.record(
          new Journal.Event(
              "kernel.tools",
              "tool.anomaly",
              null,
              Map.of("tool", tool, "kind", anomaly.kind(), "what", anomaly.what())));
    } catch (Refused journalAway) {
      log.debug("not on record", journalAway);
    }
  }

  private void follow(Counters loaded, Map<Path, String> wanted) throws IOException {
    for (Iterator<Map.Entry<Path, Watched>> all = watched.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Path, Watched> each = all.next();
      if (!wanted.containsKey(each.getKey())) {
        loaded.unwatch(each.getValue().key);
        all.remove();
      }
    }
    for (Map.Entry<Path, String> each : new ArrayList<>(wanted.entrySet())) {
      if (!watched.containsKey(each.getKey())) {
        Watched fresh = new Watched(each.getValue(), ++lastKey);
        if (loaded.watch(fresh.key, each.getKey())) {
          watched.put(each.getKey(), fresh);
        }
      }
    }
  }
}
