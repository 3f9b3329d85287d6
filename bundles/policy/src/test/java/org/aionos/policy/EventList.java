package org.aionos.policy;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;

/** A journal that remembers its events, or is away. */
final class EventList implements Journal {
  final List<String> kinds = new CopyOnWriteArrayList<>();
  final List<Map<String, Object>> facts = new CopyOnWriteArrayList<>();
  volatile boolean away;

  @Override
  public Asked asked(Syscall syscall) {
    throw new AssertionError("policy decides, it does not ask");
  }

  @Override
  public void ended(Asked asked, Decision by, Outcome outcome, Duration took) {
    throw new AssertionError("policy decides, it does not end");
  }

  @Override
  public String record(Event event) {
    if (away) {
      throw new Refused(Code.JOURNAL_UNAVAILABLE, "full");
    }
    kinds.add(event.kind());
    facts.add(event.facts());
    return "ev-1";
  }
}
