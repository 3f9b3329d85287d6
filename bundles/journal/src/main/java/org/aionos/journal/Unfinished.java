package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.journal.FrameInput.Found;
import org.aionos.kernel.Journal.Event;

/** Finds the calls that a dead kernel left without an outcome. */
final class Unfinished {

  static final String KIND = "syscalls.interrupted";

  /** How a record begins, behind its head, that notes such calls. */
  static final byte[] NOTED =
      ("\"topic\":\"" + Draft.SYSCALLS + "\",\"kind\":\"" + KIND + "\"").getBytes(US_ASCII);

  /** A record has to stay small; the count tells of the others. */
  private static final int IDS_MAX = 1_000;

  private Unfinished() {}

  /**
   * Goes through the records from a number on, and fills {@code calls} with the outcomes found.
   *
   * @return what to record, if there are such calls
   */
  static Optional<Event> after(long sequence, Segments segments, Calls calls) throws IOException {
    for (Segment segment : segments.from(sequence)) {
      try (FrameInput frames = new FrameInput(segment.file(), segment.length())) {
        while (frames.next() == Found.FRAME) {
          note(frames, sequence, calls);
        }
      }
    }
    long[] open = calls.open();
    calls.forgetOpen();
    return open.length == 0 ? Optional.empty() : Optional.of(event(open));
  }

  private static void note(FrameInput frames, long from, Calls calls) {
    byte[] bytes = frames.bytes();
    int payload = frames.payloadAt();
    long sequence = Payload.sequence(bytes, payload, frames.payloadLength());
    if (sequence < from) {
      return;
    }
    long call = AuditId.callSequence(Payload.auditId(bytes, payload));
    if (call == sequence) {
      calls.began(call);
    } else if (call > 0) {
      calls.ended(call, sequence);
    } else if (Payload.contains(NOTED, bytes, payload, frames.payloadLength())) {
      // An earlier start has told of all before.
      calls.forgetOpen();
    }
  }

  private static Event event(long[] open) {
    List<String> ids = Arrays.stream(open).limit(IDS_MAX).mapToObj(AuditId::ofCall).toList();
    return new Event(
        Draft.SYSCALLS, KIND, null, Map.of("count", (long) open.length, "audit_ids", ids));
  }
}
