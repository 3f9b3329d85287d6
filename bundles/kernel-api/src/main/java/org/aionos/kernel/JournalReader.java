package org.aionos.kernel;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/** Looks into the {@link Journal}. Safe for use by many threads; never slows a writer. */
@ProviderType
public interface JournalReader {

  /**
   * Entries that match, newest first, at most {@code query.limit()} and 1,000. A page may be short,
   * even empty, and still have a next one.
   */
  Page query(Query query);

  /** One syscall by its audit id: intent and, once there is one, outcome. */
  Optional<CallRecord> find(String auditId);

  /** Everything recorded from now on that matches. Close it. */
  Tail tail(Query filter);

  /** Reads the whole chain and says whether it is whole. Takes about a second per gigabyte. */
  Verification verify();

  /**
   * What to look for; null means any.
   *
   * @param code name of a {@link Code}, for ended calls
   * @param from inclusive
   * @param until exclusive
   * @param before a sequence number: only earlier entries, for paging
   */
  record Query(
      @Nullable String tenant,
      @Nullable String agent,
      @Nullable String topic,
      @Nullable String syscall,
      @Nullable String code,
      @Nullable Instant from,
      @Nullable Instant until,
      @Nullable Long before,
      int limit) {

    public static final Query ALL = new Query(null, null, null, null, null, null, null, null, 100);
  }

  /**
   * One record as it stands in the journal.
   *
   * @param kind {@code syscall.asked}, {@code syscall.ended} or the kind of an {@link
   *     Journal.Event}
   */
  record Entry(
      long sequence,
      Instant time,
      String topic,
      String kind,
      String auditId,
      @Nullable String tenant,
      Map<String, @Nullable Object> facts) {}

  /**
   * @param next what to ask as {@code before} for the next page; null at the end
   */
  record Page(List<Entry> entries, @Nullable Long next) {}

  /**
   * @param ended null while the call runs; if the kernel died meanwhile, its outcome is unknown for
   *     ever
   */
  record CallRecord(Entry asked, @Nullable Entry ended) {}

  /**
   * The live end for one watcher. A watcher that falls behind loses entries and is told how many.
   */
  interface Tail extends AutoCloseable {

    /** Returns the next entry, or null after {@code waitMax}; also when the journal has gone. */
    @Nullable Entry next(Duration waitMax) throws InterruptedException;

    long lostSinceLastAsked();

    @Override
    void close();
  }

  /**
   * @param entries how many records the chain has, from {@code firstSequence}
   * @param head hash of the last record, in hex
   * @param checkpoints how many signed checkpoints were compared
   * @param fault what is wrong and where; empty if the chain is whole
   */
  record Verification(
      long entries, long firstSequence, String head, long checkpoints, String fault) {

    public boolean whole() {
      return fault.isEmpty();
    }
  }
}
