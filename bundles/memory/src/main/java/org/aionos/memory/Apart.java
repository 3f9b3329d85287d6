package org.aionos.memory;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Does work on threads that no deadline interrupts, while the caller waits. An interrupt closes the
 * file that its thread is writing, and an index whose file was closed takes no more.
 */
final class Apart implements AutoCloseable {

  private static final long END_SECONDS_MAX = 60;

  private final ExecutorService threads;

  Apart(String name, int count) {
    this.threads =
        Executors.newFixedThreadPool(
            count,
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Returns when it is done; a caller that was interrupted meanwhile is so afterwards. */
  <T> T run(Callable<T> work) throws IOException {
    Future<T> done = threads.submit(work);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return done.get();
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    } catch (ExecutionException failed) {
      if (failed.getCause() instanceof RuntimeException fault) {
        throw fault;
      }
      throw new IOException("an index cannot be written or read", failed.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Returns when all work has ended. */
  @Override
  public void close() {
    threads.shutdown();
    boolean interrupted = false;
    try {
      while (true) {
        try {
          if (!threads.awaitTermination(END_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IllegalStateException("work on an index does not end");
          }
          return;
        } catch (InterruptedException later) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
