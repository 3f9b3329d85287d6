package org.aionos.scheduler;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/** One node's way to a store: it loses questions, and answers, and may be cut through. */
final class LossyTasks implements TaskStore {

  private final TaskStore store;
  private final RandomGenerator random;
  private volatile int lostPercent;
  private volatile boolean cutThrough;
  private volatile boolean losesNextAnswer;
  private volatile boolean cutsThroughThen;

  LossyTasks(TaskStore store, RandomGenerator random) {
    this.store = store;
    this.random = random;
  }

  void lose(int percent) {
    lostPercent = percent;
  }

  /** What is asked next is done, and nobody hears of it. */
  void loseNextAnswer() {
    losesNextAnswer = true;
  }

  /** As {@link #loseNextAnswer}, and from then on there is no way to the store. */
  void cutThroughAfterNextAnswerIsLost() {
    losesNextAnswer = true;
    cutsThroughThen = true;
  }

  void cutThrough(boolean cut) {
    cutThrough = cut;
  }

  private <T> T ask(Supplier<T> question) {
    boolean before;
    boolean after;
    synchronized (random) {
      before = random.nextInt(100) < lostPercent;
      after = random.nextInt(100) < lostPercent;
    }
    if (cutThrough || before) {
      throw new StoreUnavailable("the question was lost");
    }
    T answer = question.get();
    if (after || losesNextAnswer) {
      losesNextAnswer = false;
      cutThrough = cutThrough || cutsThroughThen;
      cutsThroughThen = false;
      throw new StoreUnavailable("the answer was lost");
    }
    return answer;
  }

  private void tell(Runnable change) {
    ask(
        () -> {
          change.run();
          return true;
        });
  }

  @Override
  public Row add(Row row) {
    return ask(() -> store.add(row));
  }

  @Override
  public Optional<Row> find(Key key) {
    return ask(() -> store.find(key));
  }

  @Override
  public boolean replace(Row row) {
    return ask(() -> store.replace(row));
  }

  @Override
  public void remove(Key key) {
    tell(() -> store.remove(key));
  }

  @Override
  public Page list(Filter filter, @Nullable String after, int limit) {
    return ask(() -> store.list(filter, after, limit));
  }

  @Override
  public Map<Tier, Long> waiting() {
    return ask(store::waiting);
  }

  @Override
  public long unended(String tenant) {
    return ask(() -> store.unended(tenant));
  }

  @Override
  public List<Row> claim(String node, Map<Tier, Integer> most) {
    return ask(() -> store.claim(node, most));
  }

  @Override
  public Optional<Hold> holder(Key key) {
    return ask(() -> store.holder(key));
  }

  @Override
  public void renew(String node) {
    tell(() -> store.renew(node));
  }

  @Override
  public long claimMillis() {
    return store.claimMillis();
  }

  @Override
  public int append(Key key, String node, byte[] entry) {
    return ask(() -> store.append(key, node, entry));
  }

  @Override
  public List<byte[]> log(Key key) {
    return ask(() -> store.log(key));
  }

  @Override
  public boolean cut(Key key, String node, int entries) {
    return ask(() -> store.cut(key, node, entries));
  }

  @Override
  public long post(String box, byte[] message, int countMax) {
    return ask(() -> store.post(box, message, countMax));
  }

  @Override
  public List<Message> mail(String box, int max) {
    return ask(() -> store.mail(box, max));
  }

  @Override
  public void discard(String box, long through) {
    tell(() -> store.discard(box, through));
  }

  @Override
  public void close() {}
}
