package org.aionos.memory;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;

/** A journal that keeps its events, for tests. */
final class Facts implements Journal {

  final List<Event> events = new ArrayList<>();

  List<String> kinds() {
    return events.stream().map(Event::kind).toList();
  }

  /** Keys of the items that events of a kind name. */
  List<String> named(String kind) {
    List<String> keys = new ArrayList<>();
    for (Event event : events) {
      if (event.kind().equals(kind) && event.facts().get("items") instanceof List<?> items) {
        items.forEach(item -> keys.add(String.valueOf(((Map<?, ?>) item).get("key"))));
      }
    }
    return keys;
  }

  @Override
  public synchronized String record(Event event) {
    events.add(event);
    return "ev-" + events.size();
  }

  @Override
  public Asked asked(Syscall syscall) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void ended(Asked asked, @Nullable Decision by, Outcome outcome, Duration took) {
    throw new UnsupportedOperationException();
  }
}
