package org.aionos.policy;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.Cluster;
import org.aionos.policies.InvalidPolicy;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One policy for all nodes of a cluster. The cluster keeps the whole version with a number that
 * rises with each change. A node that comes takes what is there; a node whose document was changed,
 * while it had the number that is there, gives it the next number; of two that change at once the
 * second takes what the first has put.
 */
final class SharedPolicy implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(SharedPolicy.class);

  static final String NAME = "policy/version";
  static final String REVOCATIONS = "policy/revocations";

  /** A change is seen at its own node after a second, and half a second later at the others. */
  private static final long POLL_MILLIS = 500;

  /** For so long a node may have another version than the others, or not know. */
  static final long BEHIND_MILLIS_MAX = 2_000;

  /** More than the cluster's server takes to answer, or not to. */
  private static final long CLOSE_SECONDS_MAX = 3;

  /** The policy of this node. */
  interface Here {

    /** What is in force; empty for none. */
    byte[] inForce();

    /** Whether that is what is in force here, whatever it is called. */
    boolean is(byte[] document);

    /**
     * Takes another node's document into force.
     *
     * @throws IOException if it could not be kept, or is not in force
     */
    void adopt(byte[] document) throws InvalidPolicy, InvalidDocument, IOException;
  }

  /** Why we are behind, and since when. */
  private record Behind(String why, long sinceNanos) {}

  private final String name;
  private final Supplier<@Nullable Cluster> cluster;
  private final Path numberFile;
  private final LongSupplier nanos;
  private final Here here;
  private final ScheduledExecutorService thread;
  private volatile @Nullable Behind behind;

  /**
   * Of the version in force here; 0 if it was never shared. Belongs to whoever is in exchange().
   */
  private long number;

  /**
   * @param cluster gives null while this kernel is alone
   * @param numberFile where the number outlives this life
   */
  SharedPolicy(
      String name,
      Supplier<@Nullable Cluster> cluster,
      Path numberFile,
      LongSupplier nanos,
      Here here) {
    this.name = name;
    this.cluster = cluster;
    this.numberFile = numberFile;
    this.nanos = nanos;
    this.here = here;
    this.number = read(numberFile);
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread made = new Thread(task, "aion-policy-cluster");
              made.setDaemon(true);
              return made;
            });
  }

  private static long read(Path numberFile) {
    try {
      return Long.parseLong(Files.readString(numberFile, US_ASCII).strip());
    } catch (NoSuchFileException never) {
      return 0;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    } catch (NumberFormatException damaged) {
      log.warn("the policy's number is not one, the cluster's is taken: file={}", numberFile);
      return 0;
    }
  }

  void start() {
    thread.scheduleWithFixedDelay(
        this::exchangeOrLog, POLL_MILLIS, POLL_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Something has changed here. */
  void soon() {
    try {
      thread.execute(this::exchangeOrLog);
    } catch (RejectedExecutionException closing) {
      log.debug("a change of policy is shared by the next life of this kernel");
    }
  }

  /** Whatever goes wrong, the next exchange must come: an executor drops a task that throws. */
  private void exchangeOrLog() {
    try {
      exchange();
    } catch (RuntimeException unexpected) {
      log.error("the policy could not be exchanged", unexpected);
    }
  }

  /** Takes what is newer in the cluster, or gives it what is newer here. */
  synchronized void exchange() {
    Cluster others = cluster.get();
    if (others == null) {
      behind = null;
      return;
    }
    long begunNanos = nanos.getAsLong();
    try {
      Optional<Cluster.Value> theirs = others.get(name);
      if (theirs.isPresent() && theirs.get().number() > number) {
        take(theirs.get());
      } else {
        give(others, theirs);
      }
      behind = null;
    } catch (StoreUnavailable away) {
      stayBehind(
          begunNanos, "whether there is a newer policy cannot be told: " + away.getMessage());
    } catch (InvalidPolicy unreadable) {
      stayBehind(begunNanos, "the cluster's policy cannot be used here: " + unreadable.describe());
    } catch (InvalidDocument unreadable) {
      stayBehind(begunNanos, "the cluster's policy cannot be used here: " + unreadable.describe());
    } catch (Refused failed) {
      stayBehind(
          begunNanos, "the cluster's policy could not be taken: " + failed.problem().message());
    } catch (IOException failed) {
      stayBehind(begunNanos, "the cluster's policy could not be taken: " + failed.getMessage());
    }
  }

  private void take(Cluster.Value theirs) throws InvalidPolicy, InvalidDocument, IOException {
    if (!here.is(theirs.bytes())) {
      here.adopt(theirs.bytes());
    }
    remember(theirs.number());
  }

  private void give(Cluster others, Optional<Cluster.Value> theirs) throws IOException {
    byte[] ours = here.inForce();
    if (ours.length == 0 || theirs.filter(value -> here.is(value.bytes())).isPresent()) {
      return;
    }
    if (others.put(name, number + 1, ours)) {
      remember(number + 1);
      log.info("given to the cluster: name={} number={}", name, number);
    }
  }

  private void remember(long shared) throws IOException {
    WholeFile.write(numberFile, Long.toString(shared).getBytes(US_ASCII));
    number = shared;
  }

  private void stayBehind(long begunNanos, String why) {
    Behind before = behind;
    if (before == null || !before.why().equals(why)) {
      log.warn("this node may be behind the cluster: {}", why);
    }
    behind = new Behind(why, before == null ? begunNanos : before.sinceNanos());
  }

  /** Why this node may have another version than the others; empty if that is not for long yet. */
  String behind() {
    Behind now = behind;
    return now == null
            || nanos.getAsLong() - now.sinceNanos()
                <= TimeUnit.MILLISECONDS.toNanos(BEHIND_MILLIS_MAX)
        ? ""
        : now.why();
  }

  /** What goes on is finished: a document that is half adopted would have to be adopted again. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
        log.warn("an exchange of policy goes on after its bundle");
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
