package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.aionos.kernel.JournalReader.CallRecord;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Page;
import org.aionos.kernel.JournalReader.Query;
import org.jspecify.annotations.Nullable;

/**
 * Finds records in the files. Takes no lock that a writer takes. What is damaged is passed over:
 * verification tells of it. Safe for use by many threads.
 */
final class Search {

  /** The longest page. */
  static final int LIMIT_MAX = 1_000;

  /**
   * One query reads at most so much, about half a second; then it gives back a page that is not
   * full, and where to go on.
   */
  static final long SCAN_BYTES_MAX = 256L << 20;

  private final Segments segments;
  private final Calls calls;

  Search(Segments segments, Calls calls) {
    this.segments = segments;
    this.calls = calls;
  }

  /** Entries that match, newest first. */
  Page query(Query query) throws IOException {
    Scan scan = new Scan(query);
    for (Segment segment : segments.newestFirst()) {
      if (segment.first() < scan.before && !segment.isEmpty() && mayHold(segment, scan.filter)) {
        scan.segment(segment);
        if (scan.done) {
          break;
        }
      }
    }
    return scan.page();
  }

  /** One syscall: its intent and, if there is one, its outcome. */
  Optional<CallRecord> find(String auditId) throws IOException {
    long call = AuditId.callSequence(auditId);
    Entry asked = call <= 0 ? null : entry(call);
    if (asked == null || !asked.kind().equals(Draft.ASKED)) {
      return Optional.empty();
    }
    return Optional.of(new CallRecord(asked, outcome(call)));
  }

  private @Nullable Entry outcome(long call) throws IOException {
    long known = calls.outcomeOf(call);
    if (known != 0) {
      return entry(known);
    }
    return calls.isOpen(call) ? null : outcomeAfter(call);
  }

  private @Nullable Entry entry(long sequence) throws IOException {
    Segment segment = segments.holding(sequence);
    if (segment == null || segment.isEmpty()) {
      return null;
    }
    try (BlockReader blocks = new BlockReader(segment)) {
      return blocks.first(sequence) ? read(blocks) : null;
    }
  }

  /** Looks for the outcome of a call up to the next death of a kernel, which ended all calls. */
  private @Nullable Entry outcomeAfter(long call) throws IOException {
    byte[] needle = ("\"asked\":\"" + AuditId.ofCall(call) + '"').getBytes(US_ASCII);
    for (Segment segment : segments.from(call)) {
      try (BlockReader blocks = new BlockReader(segment)) {
        for (int place = Math.max(0, blocks.placeOf(call)); place < blocks.blocks(); place++) {
          blocks.load(place);
          for (long at = Math.max(call + 1, blocks.firstInBlock()); blocks.moveTo(at); at++) {
            if (has(blocks, needle) && blocks.isSound()) {
              Entry entry = read(blocks);
              if (entry.kind().equals(Draft.ENDED)) {
                return entry;
              }
            } else if (has(blocks, Unfinished.NOTED)) {
              return null;
            }
          }
        }
      }
    }
    return null;
  }

  private static boolean has(BlockReader blocks, byte[] needle) {
    return Payload.contains(needle, blocks.bytes(), blocks.offset(), blocks.length());
  }

  private static boolean mayHold(Segment segment, Filter filter) throws IOException {
    Instant first = segment.firstTime().orElse(null);
    return first == null || filter.isBeforeUntil(first);
  }

  private static Entry read(BlockReader blocks) throws IOException {
    return EntryReader.read(blocks.bytes(), blocks.offset(), blocks.length());
  }

  /** One query on its way back through the journal. */
  private static final class Scan {

    private final Filter filter;
    private final long limit;
    private final List<Entry> found = new ArrayList<>();
    private long bytesLeft = SCAN_BYTES_MAX;
    private long before;
    private boolean done;

    /** Whether there may be more before {@link #before}. */
    private boolean more;

    Scan(Query query) {
      this.filter = new Filter(query);
      this.limit = Math.max(1, Math.min(LIMIT_MAX, query.limit()));
      this.before = query.before() == null ? Long.MAX_VALUE : query.before();
    }

    Page page() {
      return new Page(List.copyOf(found), more && before > 1 ? before : null);
    }

    void segment(Segment segment) throws IOException {
      try (BlockReader blocks = new BlockReader(segment)) {
        for (int place = blocks.placeOf(before - 1); place >= 0 && !done; place--) {
          bytesLeft -= blocks.load(place);
          block(blocks);
        }
      }
    }

    private void block(BlockReader blocks) throws IOException {
      long at = Math.min(before, blocks.endOfBlock()) - 1;
      for (; !done && blocks.moveTo(at); at--) {
        record(blocks, at);
      }
      if (!done && isTooOld(blocks)) {
        stop(false);
      } else if (!done && bytesLeft < 0) {
        stop(true);
      }
    }

    private void record(BlockReader blocks, long sequence) throws IOException {
      before = sequence;
      if (filter.mayMatch(blocks.bytes(), blocks.offset(), blocks.length()) && blocks.isSound()) {
        Entry entry = read(blocks);
        if (filter.matches(entry)) {
          found.add(entry);
        }
        if (found.size() == limit) {
          stop(true);
        }
      }
    }

    /** Whether the block begins before the time asked for, and with it all that is left. */
    private boolean isTooOld(BlockReader blocks) {
      return blocks.moveTo(blocks.firstInBlock())
          && blocks.isSound()
          && filter.isTooOld(blocks.bytes(), blocks.offset());
    }

    private void stop(boolean mayHaveMore) {
      done = true;
      more = mayHaveMore;
    }
  }
}
