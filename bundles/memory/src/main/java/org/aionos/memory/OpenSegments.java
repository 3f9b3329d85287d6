package org.aionos.memory;

import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.kernel.AgentId;

/**
 * Who writes where. Writers of one tenant take turns, so that what is read, and what is written,
 * are one; whoever changes what is known of a segment takes the turn of its tenant, too.
 */
final class OpenSegments {

  private final ConcurrentMap<String, Object> tenants = new ConcurrentHashMap<>();
  private final ConcurrentMap<AgentId, SegmentId> open = new ConcurrentHashMap<>();
  private final AtomicLong waitingBytes = new AtomicLong();

  Object turnOf(String tenant) {
    return tenants.computeIfAbsent(tenant, absent -> new Object());
  }

  Optional<SegmentId> of(AgentId agent) {
    return Optional.ofNullable(open.get(agent));
  }

  void opened(SegmentId id) {
    open.put(id.agent(), id);
  }

  void sealed(SegmentId id) {
    open.remove(id.agent(), id);
  }

  /** Bytes that are on this disk alone. */
  AtomicLong waitingBytes() {
    return waitingBytes;
  }
}
