package org.aionos.scheduler;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/** What one node sees of a store: it can be cut off from it, wholly or for some methods. */
final class FaultyTasks implements TaskStore {

  /** What becomes of a call of a method. */
  enum Fault {
    NONE,
    /** It is not carried out. */
    BEFORE,
    /** It is carried out, and nobody is told. */
    AFTER
  }

  interface Faults {
    Fault of(String method);
  }

  private final TaskStore store;
  volatile Faults faults = method -> Fault.NONE;

  FaultyTasks(TaskStore store) {
    this.store = store;
  }

  /** The next so many calls of a method go wrong. */
  void fail(String method, int times, Fault fault) {
    AtomicInteger left = new AtomicInteger(times);
    faults = called -> called.equals(method) && left.getAndDecrement() > 0 ? fault : Fault.NONE;
  }

  void cutOff() {
    faults = method -> Fault.BEFORE;
  }

  private <T> T call(String method, Supplier<T> step) {
    Fault fault = faults.of(method);
    if (fault == Fault.BEFORE) {
      throw new StoreUnavailable("away: " + method);
    }
    T answer = step.get();
    if (fault == Fault.AFTER) {
      throw new StoreUnavailable("its answer was lost: " + method);
    }
    return answer;
  }

  @Override
  public Row add(Row row) {
    return call("add", () -> store.add(row));
  }

  @Override
  public Optional<Row> find(Key key) {
    return call("find", () -> store.find(key));
  }

  @Override
  public boolean replace(Row row) {
    return call("replace", () -> store.replace(row));
  }

  @Override
  public void remove(Key key) {
    call(
        "remove",
        () -> {
          store.remove(key);
          return true;
        });
  }

  @Override
  public Page list(Filter filter, @Nullable String after, int limit) {
    return call("list", () -> store.list(filter, after, limit));
  }

  @Override
  public Map<Tier, Long> waiting() {
    return call("waiting", store::waiting);
  }

  @Override
  public long unended(String tenant) {
    return call("unended", () -> store.unended(tenant));
  }

  @Override
  public Optional<Hold> holder(Key key) {
    return call("holder", () -> store.holder(key));
  }

  @Override
  public List<Row> claim(String node, Map<Tier, Integer> most) {
    return call("claim", () -> store.claim(node, most));
  }

  @Override
  public void renew(String node) {
    call(
        "renew",
        () -> {
          store.renew(node);
          return true;
        });
  }

  @Override
  public long claimMillis() {
    return store.claimMillis();
  }

  @Override
  public int append(Key key, String node, byte[] entry) {
    return call("append", () -> store.append(key, node, entry));
  }

  @Override
  public List<byte[]> log(Key key) {
    return call("log", () -> store.log(key));
  }

  @Override
  public boolean cut(Key key, String node, int entries) {
    return call("cut", () -> store.cut(key, node, entries));
  }

  @Override
  public long post(String box, byte[] message, int countMax) {
    return call("post", () -> store.post(box, message, countMax));
  }

  @Override
  public List<Message> mail(String box, int max) {
    return call("mail", () -> store.mail(box, max));
  }

  @Override
  public void discard(String box, long through) {
    call(
        "discard",
        () -> {
          store.discard(box, through);
          return true;
        });
  }

  @Override
  public void close() {
    // The store is the tests'.
  }
}
