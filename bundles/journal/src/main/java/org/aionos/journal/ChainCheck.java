package org.aionos.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import org.aionos.journal.FrameInput.Found;
import org.aionos.kernel.JournalReader.Verification;
import org.jspecify.annotations.Nullable;

/**
 * Reads a whole journal and says whether it is whole. Only reads, so it may run beside a kernel
 * that writes. Not for use by two threads at once.
 */
final class ChainCheck {

  /**
   * Checking a signature takes 0.2 ms. A later checkpoint covers what earlier ones do, so beyond
   * this many only the hashes of the older ones are compared.
   */
  static final int SIGNATURES_MAX = 4_096;

  /** A write in progress is over long before. */
  private static final long LOOK_MILLIS = 20;

  /**
   * A segment file.
   *
   * @param limit bytes of it to read
   */
  record Part(Path file, long limit) {}

  /** What is wrong and where. */
  private static final class Fault extends Exception {
    private static final long serialVersionUID = 1L;

    private final String what;

    Fault(String what) {
      super(what, null, false, false);
      this.what = what;
    }
  }

  private final Path folder;
  private final PublicKeys keys;
  private final int looks;
  private long first;
  private long sequence;
  private String head = Format.GENESIS;

  /**
   * @param looks how often to look again for the rest of a record at the very end, which a kernel
   *     may be about to write
   */
  ChainCheck(Path folder, PublicKeys keys, int looks) {
    this.folder = folder;
    this.keys = keys;
    this.looks = looks;
  }

  /** Checks a folder in which nobody, or somebody else, writes. */
  static Verification offline(Path folder, PublicKeys keys, int looks) throws IOException {
    // Checkpoints first: the records that they speak of were written before them.
    long checkpointBytes = size(folder.resolve(Checkpoint.FILE));
    List<Part> parts = new ArrayList<>();
    for (Path file : Segment.filesIn(folder)) {
      parts.add(new Part(file, Long.MAX_VALUE));
    }
    return new ChainCheck(folder, keys, looks).check(parts, checkpointBytes);
  }

  /** Checks these files against the anchors, and the checkpoints in so many bytes. */
  Verification check(List<Part> parts, long checkpointBytes) throws IOException {
    String fault = "";
    try (Checkpoints checkpoints = new Checkpoints(checkpointBytes)) {
      try {
        walkAll(parts, checkpoints);
        checkpoints.checkAllReached();
      } catch (Fault found) {
        fault = found.what;
      }
      long entries = first == 0 ? 0 : sequence - first + 1;
      return new Verification(entries, first, head, checkpoints.compared, fault);
    }
  }

  private void walkAll(List<Part> parts, Checkpoints checkpoints) throws IOException, Fault {
    if (parts.isEmpty()) {
      throw new Fault("there are no segments");
    }
    for (Part part : parts) {
      SegmentHeader header = header(part.file());
      if (first == 0) {
        checkBeginning(header);
        first = header.first();
        sequence = first - 1;
        head = header.previous();
        checkpoints.reached(sequence, head);
      } else {
        checkContinues(header, part.file().getFileName());
      }
      boolean last = part.equals(parts.get(parts.size() - 1));
      walk(part, header, checkpoints, last ? looks : 0);
    }
  }

  private static SegmentHeader header(Path file) throws IOException, Fault {
    return Segment.headerOf(file)
        .filter(found -> found.first() == Segment.firstByName(file).orElse(-1L))
        .orElseThrow(() -> new Fault(file.getFileName() + ": the header is damaged"));
  }

  private void checkContinues(SegmentHeader header, Path name) throws Fault {
    if (header.first() != sequence + 1) {
      throw new Fault(
          name + ": records " + (sequence + 1) + " to " + (header.first() - 1) + " are missing");
    }
    if (!header.previous().equals(head)) {
      throw new Fault(name + ": does not continue the chain of the segment before");
    }
  }

  private void walk(Part part, SegmentHeader header, Checkpoints checkpoints, int looks)
      throws IOException, Fault {
    int looksLeft = looks;
    long lookedAt = Long.MAX_VALUE;
    try (ChainWalk walk = new ChainWalk(part.file(), header, part.limit())) {
      while (true) {
        Found found = walk.next();
        if (found == Found.FRAME) {
          sequence = walk.sequence();
          head = sequence == checkpoints.next ? walk.head() : head;
          checkpoints.reached(sequence, head);
          continue;
        }
        head = walk.head();
        if (found == Found.END && isWhole(part, walk, lookedAt)) {
          return;
        }
        if (found == Found.DAMAGED || looksLeft-- == 0 || !waited()) {
          throw fault(part, found, walk);
        }
        lookedAt = walk.sequence();
      }
    }
  }

  /**
   * Whether nothing is left behind the last record but room for more, or what a kernel writes that
   * has written more since the last look.
   */
  private static boolean isWhole(Part part, ChainWalk walk, long lookedAt) throws IOException {
    return walk.end() == part.limit() || walk.sequence() > lookedAt || walk.bytesBehind() == 0;
  }

  private static Fault fault(Part part, Found found, ChainWalk walk) {
    String what =
        found == Found.DAMAGED
            ? walk.fault()
            : "it is torn (a kernel that starts here cuts it off)";
    return new Fault(
        "%s: record %d, at byte %d: %s"
            .formatted(part.file().getFileName(), walk.sequence() + 1, walk.end(), what));
  }

  private static boolean waited() {
    try {
      Thread.sleep(LOOK_MILLIS);
      return true;
    } catch (InterruptedException interrupt) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** A chain begins with the first record ever, or at an anchor, and nowhere else. */
  private void checkBeginning(SegmentHeader header) throws IOException, Fault {
    boolean anchored = false;
    try (Lines lines = new Lines(folder.resolve(Anchor.FILE), Long.MAX_VALUE)) {
      int number = 0;
      for (String line = lines.next(); line != null; line = lines.next()) {
        Anchor anchor = Anchor.parse(signed(line, Anchor.FILE, ++number, true)).orElse(null);
        anchored |=
            anchor != null
                && anchor.first() == header.first()
                && anchor.previous().equals(header.previous());
      }
      if (lines.torn()) {
        throw new Fault(Anchor.FILE + ": the last line is torn");
      }
    }
    boolean genesis = header.first() == 1 && header.previous().equals(Format.GENESIS);
    if (!genesis && !anchored) {
      throw new Fault(
          "the journal begins at record " + header.first() + ", and no anchor allows that");
    }
  }

  private SignedLine signed(String line, String file, int number, boolean checkSignature)
      throws Fault {
    SignedLine signed =
        SignedLine.parse(line)
            .orElseThrow(() -> new Fault(file + ": line " + number + " is malformed"));
    if (checkSignature && !signed.isSignedBy(keys)) {
      throw new Fault(file + ": line " + number + " has no good signature");
    }
    return signed;
  }

  private static long size(Path file) throws IOException {
    return Files.exists(file) ? Files.size(file) : 0;
  }

  /** The keys beside a journal, or none if they cannot be used: then no signature is good. */
  static PublicKeys keysIn(Path folder) throws IOException {
    try {
      return PublicKeys.in(folder);
    } catch (GeneralSecurityException unusable) {
      return new PublicKeys();
    }
  }

  /** The checkpoints, in step with the walk. */
  private final class Checkpoints implements AutoCloseable {

    private final Lines lines;
    private final long unchecked;
    private int number;
    private @Nullable Checkpoint current;

    /** Sequence number of the checkpoint that comes next; never reached if there is none. */
    private long next;

    private long compared;

    Checkpoints(long bytes) throws IOException {
      Path file = folder.resolve(Checkpoint.FILE);
      long count = 0;
      try (Lines all = new Lines(file, bytes)) {
        while (all.next() != null) {
          count++;
        }
      }
      this.unchecked = count - SIGNATURES_MAX;
      this.lines = new Lines(file, bytes);
    }

    /** Compares the checkpoint of this record, if there is one, and moves to the next. */
    void reached(long sequence, String head) throws IOException, Fault {
      while (next <= sequence) {
        if (current != null && next == sequence) {
          if (!current.head().equals(head)) {
            throw new Fault(
                "record %d is not the one that was signed at %s: the journal was rewritten"
                    .formatted(sequence, current.time()));
          }
          compared++;
        }
        advance();
      }
    }

    void checkAllReached() throws Fault {
      if (current != null) {
        throw new Fault(
            "the journal ends at record %d, but %d was signed at %s: it was cut short"
                .formatted(sequence, current.sequence(), current.time()));
      }
    }

    private void advance() throws IOException, Fault {
      String line = lines.next();
      if (line == null && lines.torn()) {
        throw new Fault(Checkpoint.FILE + ": the last line is torn");
      }
      long previous = current == null ? -1 : next;
      current = line == null ? null : parse(line);
      next = current == null ? Long.MAX_VALUE : current.sequence();
      if (next <= previous) {
        throw new Fault(Checkpoint.FILE + ": line " + number + " is out of order");
      }
    }

    private Checkpoint parse(String line) throws Fault {
      SignedLine signed = signed(line, Checkpoint.FILE, ++number, number > unchecked);
      return Checkpoint.parse(signed)
          .orElseThrow(() -> new Fault(Checkpoint.FILE + ": line " + number + " is malformed"));
    }

    @Override
    public void close() throws IOException {
      lines.close();
    }
  }
}
