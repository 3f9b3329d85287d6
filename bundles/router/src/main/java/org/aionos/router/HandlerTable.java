package org.aionos.router;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.Constants;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Who serves which syscall right now. */
@Component(
    service = HandlerTable.class,
    configurationPid = "org.aionos.router",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class HandlerTable {

  private static final Logger log = LoggerFactory.getLogger(HandlerTable.class);

  /** What the contract names and a bundle that is not installed would serve. */
  private static final List<String> KNOWN_ELSEWHERE = List.of("memory.");

  /** What every kernel serves: not to be had only while a part that it needs is replaced. */
  private static final Set<String> OURS =
      Set.of(
          "tool.invoke",
          "tool.list",
          "fs.read",
          "fs.write",
          "fs.list",
          "agent.info",
          "agent.list",
          "agent.send",
          "agent.recv",
          "task.info",
          "task.checkpoint",
          "task.resume",
          "task.complete",
          "net.fetch",
          "model.generate",
          "model.embed",
          "memory.put",
          "memory.get",
          "memory.query",
          "memory.list",
          "memory.rag",
          "memory.restore",
          "memory.pin",
          "memory.delete");

  private final Duration drainMax;
  private final Map<Long, Serving> byService = new HashMap<>();
  private volatile Map<String, Serving> byName = Map.of();

  /** One handler and the calls inside it. */
  record Serving(
      SyscallHandler handler, Set<String> names, Set<String> needs, long id, Holders holders)
      implements AutoCloseable {

    @Override
    public void close() {
      holders.leave();
    }
  }

  @Activate
  public HandlerTable(RouterConfig config) {
    this(Duration.ofMillis(config.drainMillisMax()));
  }

  HandlerTable(Duration drainMax) {
    this.drainMax = drainMax;
  }

  /**
   * Holds the handler of a syscall for one call.
   *
   * @throws Refused {@code UNKNOWN_SYSCALL}, or {@code NOT_INSTALLED} where a bundle would serve it
   */
  Serving lease(String syscall) {
    Serving serving = byName.get(syscall);
    if (serving != null && serving.holders.enter()) {
      return serving;
    }
    if (serving != null || OURS.contains(syscall)) {
      throw new Refused(
          Code.RESTARTING, "the part that serves " + syscall + " is being replaced; retry");
    }
    if (KNOWN_ELSEWHERE.stream().anyMatch(syscall::startsWith)) {
      throw new Refused(
          Code.NOT_INSTALLED, "no bundle that serves " + syscall + " is installed in this kernel");
    }
    throw new Refused(
        Code.UNKNOWN_SYSCALL,
        "there is no syscall "
            + syscall
            + "; served now: "
            + String.join(", ", new TreeSet<>(byName.keySet())));
  }

  /** Names a metric may carry: those that are served. */
  boolean serves(String syscall) {
    return byName.containsKey(syscall);
  }

  @Reference(
      name = "handler",
      cardinality = ReferenceCardinality.MULTIPLE,
      policy = ReferencePolicy.DYNAMIC)
  void bindHandler(SyscallHandler handler, Map<String, Object> properties) {
    Serving serving =
        new Serving(
            handler,
            texts(properties.get(SyscallHandler.NAMES)),
            texts(properties.get(SyscallHandler.NEEDS)),
            serviceId(properties),
            new Holders());
    change(serving.id(), serving);
    log.info("syscalls served: names={} needs={}", serving.names(), serving.needs());
  }

  void unbindHandler(SyscallHandler handler, Map<String, Object> properties) {
    Serving serving = change(serviceId(properties), null);
    if (serving != null) {
      boolean drained = serving.holders.drain(drainMax);
      log.info("syscalls withdrawn: names={} drained={}", serving.names(), drained);
    }
  }

  private synchronized @Nullable Serving change(long id, @Nullable Serving serving) {
    Serving before = serving == null ? byService.remove(id) : byService.put(id, serving);
    Map<String, Serving> index = new HashMap<>();
    List<Serving> oldestFirst = new ArrayList<>(byService.values());
    oldestFirst.sort((a, b) -> Long.compare(a.id(), b.id()));
    // The newest handler of a name wins, so that one can be replaced before the old one goes.
    oldestFirst.forEach(each -> each.names().forEach(name -> index.put(name, each)));
    byName = Map.copyOf(index);
    return before;
  }

  /** The texts of a service property that is one text or an array of texts. */
  static Set<String> texts(@Nullable Object property) {
    return property instanceof String[] texts
        ? Set.of(texts)
        : property instanceof String text ? Set.of(text) : Set.of();
  }

  private static long serviceId(Map<String, Object> properties) {
    return (Long) requireNonNull(properties.get(Constants.SERVICE_ID), Constants.SERVICE_ID);
  }
}
