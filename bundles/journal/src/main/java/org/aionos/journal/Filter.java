package org.aionos.journal;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.aionos.kernel.JournalReader.Entry;
import org.aionos.kernel.JournalReader.Query;
import org.jspecify.annotations.Nullable;

/**
 * What a query lets through. Most records are turned away by looking for a few bytes, which is ten
 * times as fast as reading their JSON. Immutable.
 */
final class Filter {

  private final Query query;
  private final List<byte[]> needles = new ArrayList<>();
  private final byte @Nullable [] from;

  Filter(Query query) {
    this.query = query;
    need("tenant", query.tenant());
    need("topic", query.topic());
    need("agent", query.agent());
    need("syscall", query.syscall());
    need("code", query.code());
    this.from = query.from() == null ? null : TimeText.of(query.from());
  }

  /** False only if the record surely does not match. */
  boolean mayMatch(byte[] bytes, int offset, int length) {
    for (byte[] needle : needles) {
      if (!Payload.contains(needle, bytes, offset, length)) {
        return false;
      }
    }
    return true;
  }

  /** Whether an entry matches; {@code before} and {@code limit} are not looked at. */
  boolean matches(Entry entry) {
    return is(query.tenant(), entry.tenant())
        && is(query.topic(), entry.topic())
        && is(query.agent(), entry.facts().get("agent"))
        && is(query.syscall(), entry.facts().get("syscall"))
        && is(query.code(), entry.facts().get("code"))
        && (query.from() == null || !entry.time().isBefore(query.from()))
        && isBeforeUntil(entry.time());
  }

  /** Whether a record, and so every one before it, was written before what is asked for. */
  boolean isTooOld(byte[] bytes, int offset) {
    if (from == null) {
      return false;
    }
    int time = Payload.timeAt(bytes, offset);
    return Arrays.compare(bytes, time, time + TimeText.LENGTH, from, 0, from.length) < 0;
  }

  /** Whether something written then, and not later, can be asked for. */
  boolean isBeforeUntil(Instant time) {
    return query.until() == null || time.isBefore(query.until());
  }

  private static boolean is(@Nullable String wanted, @Nullable Object found) {
    return wanted == null || wanted.equals(found);
  }

  /** Texts that JSON may write in more than one way are left to {@link #matches}. */
  private void need(String name, @Nullable String value) {
    if (value != null
        && value.chars().allMatch(c -> c >= ' ' && c < 0x7f && c != '"' && c != '\\')) {
      needles.add(('"' + name + "\":\"" + value + '"').getBytes(US_ASCII));
    }
  }
}
