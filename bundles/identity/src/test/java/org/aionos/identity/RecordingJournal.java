package org.aionos.identity;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;

/** A journal that remembers its events, or is away. */
final class RecordingJournal implements Journal {

  final List<Event> events = new CopyOnWriteArrayList<>();
  volatile boolean away;

  @Override
  public String record(Event event) {
    if (away) {
      throw new Refused(Code.JOURNAL_UNAVAILABLE, "away");
    }
    events.add(event);
    return "audit-" + events.size();
  }

  List<String> kinds() {
    return events.stream().map(Event::kind).toList();
  }

  @Override
  public Asked asked(Syscall syscall) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void ended(Asked asked, Decision by, Outcome outcome, Duration took) {
    throw new UnsupportedOperationException();
  }
}
