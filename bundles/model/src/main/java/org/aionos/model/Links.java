package org.aionos.model;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;

/** The connections to all providers; they share their threads. */
final class Links implements AutoCloseable {

  /** One for each provider's selector, and some to run what is read: it never waits. */
  private static final int THREADS_MAX = 200;

  private final QueuedThreadPool threads = new QueuedThreadPool(THREADS_MAX, 2);
  private final ScheduledExecutorScheduler scheduler =
      new ScheduledExecutorScheduler("aion-model-timer", true);

  /** Guarded by this. */
  private final Map<ModelSettings.Provider, Link> links = new HashMap<>();

  private boolean closed;

  Links() throws Exception {
    threads.setName("aion-model");
    threads.setDaemon(true);
    threads.start();
    scheduler.start();
  }

  /** Holds the link of a provider for one request; the caller leaves it. */
  synchronized Link enter(ModelSettings.Provider provider) {
    if (closed) {
      throw new IllegalStateException("the model bundle is stopping");
    }
    Link link = links.computeIfAbsent(provider, absent -> new Link(provider, threads, scheduler));
    if (!link.enter()) {
      throw new IllegalStateException("a link in the table is open");
    }
    return link;
  }

  /** Closes what goes to no provider of these; one that was changed is another. */
  synchronized void keep(Set<ModelSettings.Provider> configured) {
    links
        .entrySet()
        .removeIf(
            each -> {
              boolean gone = !configured.contains(each.getKey());
              if (gone) {
                each.getValue().retire();
              }
              return gone;
            });
  }

  @Override
  public void close() throws Exception {
    synchronized (this) {
      closed = true;
      keep(Set.of());
    }
    scheduler.stop();
    threads.stop();
  }
}
