package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;

/**
 * Keeps count of requests that did not prove who sent them. The journal gets at most two records
 * for each window, however many come, so that strangers cannot fill the disk.
 */
final class Strangers {

  private static final long WINDOW_NANOS = 10_000_000_000L;

  /** Addresses named in one record; the others are counted together. */
  private static final int ADDRESSES_MAX = 20;

  private final Kernel kernel;
  private final Buckets rates;
  private final LongSupplier nanoClock;
  private final Map<String, Long> byCode = new TreeMap<>();
  private final Map<String, Long> byAddress = new TreeMap<>();
  private String auditId = "";
  private long windowBegan;
  private long count;

  Strangers(Kernel kernel, int perSecondMax, LongSupplier nanoClock) {
    this.kernel = kernel;
    this.rates = new Buckets(perSecondMax, nanoClock);
    this.nanoClock = nanoClock;
  }

  /** What to tell a stranger, and under which id it stands in the journal. */
  record Refusal(Problem problem, String auditId) {}

  Refusal refuse(Problem problem, String address) {
    String id = note(problem.code(), address);
    if (rates.take(address).isZero()) {
      return new Refusal(problem, id);
    }
    return new Refusal(
        Problem.of(Code.RATE_LIMITED, "too many refused requests from this address; slow down"),
        id);
  }

  /**
   * Writes what was counted since the window began; called when it ends and when the gateway stops.
   */
  synchronized void flush() {
    if (count > 1) {
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("window", auditId);
      facts.put("count", count);
      facts.put("codes", Map.copyOf(byCode));
      facts.put("addresses", Map.copyOf(byAddress));
      record("strangers.counted", facts);
    }
    count = 0;
    byCode.clear();
    byAddress.clear();
  }

  private synchronized String note(Code code, String address) {
    long now = nanoClock.getAsLong();
    if (count > 0 && now - windowBegan >= WINDOW_NANOS) {
      flush();
    }
    if (count == 0) {
      windowBegan = now;
      auditId = record("strangers.refused", Map.of("code", code.name(), "address", address));
    }
    count++;
    byCode.merge(code.name(), 1L, Long::sum);
    boolean room = byAddress.size() < ADDRESSES_MAX || byAddress.containsKey(address);
    byAddress.merge(room ? address : "others", 1L, Long::sum);
    return auditId;
  }

  private String record(String kind, Map<String, Object> facts) {
    try {
      return kernel.journal().record(new Journal.Event("kernel.gateway", kind, null, facts));
    } catch (Refused away) {
      return "";
    }
  }
}
