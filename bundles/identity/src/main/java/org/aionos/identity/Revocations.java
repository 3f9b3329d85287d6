package org.aionos.identity;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.text.ParseException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.Cluster;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What was revoked at one node, told to the others. The cluster keeps a list, one value for each
 * revocation, which only grows; every node reads on where it stopped, and adds what it knows and
 * the list does not.
 *
 * <p>A server that lost the end of the list, as Redis may in a crash, is noticed: the entry that
 * was read last is not there any more. Then the list is read from its beginning.
 */
final class Revocations implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Revocations.class);

  /** Half of the second within which the others are to know. */
  private static final long POLL_MILLIS = 500;

  private static final String ENTRY = "identity/revoked/";

  /**
   * @param tenant empty for the bootstrap token, since no tenant has an empty name
   * @param id of a key; the SHA-256 of the token
   */
  record Revocation(String tenant, String id) {

    static Revocation ofToken(String sha256) {
      return new Revocation("", sha256);
    }

    boolean isOfToken() {
      return tenant.isEmpty();
    }

    byte[] bytes() {
      return JSONObjectUtils.toJSONString(Map.of("tenant", tenant, "id", id)).getBytes(UTF_8);
    }
  }

  private final Supplier<@Nullable Cluster> cluster;
  private final Supplier<List<Revocation>> own;
  private final Consumer<Revocation> revoke;
  private final Queue<Revocation> told = new ConcurrentLinkedQueue<>();
  private final ScheduledExecutorService thread;

  // All below belongs to whoever is in exchange().
  private @Nullable Cluster known;
  private final Set<Revocation> listed = new HashSet<>();
  private long next;
  private byte[] last = {};
  private boolean answers = true;

  /**
   * @param cluster gives null while this kernel is alone
   * @param own all that was ever revoked here
   * @param revoke told what another node revoked; may be told again
   */
  Revocations(
      Supplier<@Nullable Cluster> cluster,
      Supplier<List<Revocation>> own,
      Consumer<Revocation> revoke) {
    this.cluster = cluster;
    this.own = own;
    this.revoke = revoke;
    this.thread =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread made = new Thread(task, "aion-identity-cluster");
              made.setDaemon(true);
              return made;
            });
  }

  void start() {
    thread.scheduleWithFixedDelay(
        this::exchangeOrLog, POLL_MILLIS, POLL_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** The others learn of it at once, or as soon as the server answers. */
  void tell(Revocation revocation) {
    told.add(revocation);
    try {
      thread.execute(this::exchangeOrLog);
    } catch (RejectedExecutionException closing) {
      log.info("a revocation is told by the next life of this kernel");
    }
  }

  /** Whatever goes wrong, the next exchange must come: an executor drops a task that throws. */
  private void exchangeOrLog() {
    try {
      exchange();
      answers = true;
    } catch (StoreUnavailable away) {
      if (answers) {
        log.warn("revocations wait for the cluster: {}", away.getMessage());
      }
      answers = false;
    } catch (RuntimeException unexpected) {
      log.error("revocations could not be exchanged", unexpected);
    }
  }

  /** Reads what others revoked, then adds what they do not know. */
  synchronized void exchange() {
    Cluster others = cluster.get();
    if (others == null) {
      known = null;
      told.clear();
      return;
    }
    if (others != known || !Arrays.equals(last, entry(others, next - 1).orElse(new byte[0]))) {
      known = others;
      listed.clear();
      next = 1;
      last = new byte[0];
      told.addAll(own.get());
    }
    read(others);
    for (Revocation mine = told.peek(); mine != null; mine = told.peek()) {
      while (!listed.contains(mine)) {
        if (others.put(ENTRY + next, 1, mine.bytes())) {
          listed.add(mine);
          took(mine.bytes());
        } else {
          read(others);
        }
      }
      told.remove(mine);
    }
  }

  private static Optional<byte[]> entry(Cluster others, long number) {
    return number < 1 ? Optional.empty() : others.get(ENTRY + number).map(Cluster.Value::bytes);
  }

  private void read(Cluster others) {
    for (Optional<byte[]> entry = entry(others, next);
        entry.isPresent();
        entry = entry(others, next)) {
      Revocation theirs = revocation(entry.get());
      if (theirs != null) {
        revoke.accept(theirs);
        listed.add(theirs);
      }
      took(entry.get());
    }
  }

  private void took(byte[] entry) {
    last = entry;
    next++;
  }

  private @Nullable Revocation revocation(byte[] entry) {
    try {
      Map<String, Object> fields = JSONObjectUtils.parse(new String(entry, UTF_8));
      return new Revocation(text(fields, "tenant"), text(fields, "id"));
    } catch (ParseException malformed) {
      log.error("the cluster's list of revocations is damaged: number={}", next);
      return null;
    }
  }

  private static String text(Map<String, Object> fields, String name) throws ParseException {
    String text = JSONObjectUtils.getString(fields, name);
    if (text == null) {
      throw new ParseException("no " + name, 0);
    }
    return text;
  }

  /** What goes on is finished: to interrupt it could close the file of credentials. */
  @Override
  public void close() {
    thread.shutdown();
  }
}
