package org.aionos.process;

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

/** Keeps events, unless it is told to be out of order. */
final class FakeJournal implements Journal {

  final List<Event> events = new CopyOnWriteArrayList<>();
  volatile boolean broken;

  List<String> kinds() {
    return events.stream().map(Event::kind).toList();
  }

  Event last() {
    return events.get(events.size() - 1);
  }

  @Override
  public String record(Event event) {
    if (broken) {
      throw new Refused(Code.JOURNAL_UNAVAILABLE, "the disk is full");
    }
    events.add(event);
    return "ev-" + events.size();
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
