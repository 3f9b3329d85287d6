package org.aionos.modelserver;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the server has seen since it was reset. Guarded by itself. */
final class Seen {

  private static final int KEPT_MAX = 1_000;

  private long requests;
  private long tokens;
  private long aborted;
  private int open;
  private int openMax;
  private final Deque<Instant> abortedAt = new ArrayDeque<>();
  private final Deque<JsonNode> bodies = new ArrayDeque<>();

  synchronized void request(JsonNode body) {
    requests++;
    keep(bodies, body);
  }

  synchronized void begun() {
    open++;
    openMax = Math.max(openMax, open);
  }

  synchronized void token() {
    tokens++;
  }

  synchronized void ended() {
    open--;
  }

  synchronized void aborted(Instant noticed) {
    open--;
    aborted++;
    keep(abortedAt, noticed);
  }

  private static <T> void keep(Deque<T> kept, T more) {
    kept.addLast(more);
    if (kept.size() > KEPT_MAX) {
      kept.removeFirst();
    }
  }

  synchronized void reset() {
    requests = 0;
    tokens = 0;
    aborted = 0;
    openMax = open;
    abortedAt.clear();
    bodies.clear();
  }

  synchronized List<JsonNode> bodies() {
    return new ArrayList<>(bodies);
  }

  synchronized Map<String, Object> stats() {
    Map<String, Object> stats = new LinkedHashMap<>();
    stats.put("requests", requests);
    stats.put("tokens", tokens);
    stats.put("open_streams", open);
    stats.put("open_streams_max", openMax);
    stats.put("aborted", aborted);
    stats.put("aborted_at_ms", abortedAt.stream().map(Instant::toEpochMilli).toList());
    return stats;
  }
}
