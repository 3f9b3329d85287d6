package org.aionos.probes;

import org.aionos.kernel.Meters;

/** The metrics of watched tools. */
final class Counted {

  private static final String TOOL = "tool";

  private final Meters.Counter calls;
  private final Meters.Counter denied;
  private final Meters.Counter readBytes;
  private final Meters.Counter writtenBytes;
  private final Meters.Counter timedCalls;
  private final Meters.Counter timedMicros;
  private final Meters.Counter slowCalls;
  private final Meters.Counter anomalies;

  Counted(Meters meters) {
    calls = meters.counter("aion_tool_system_calls_total", "System calls of watched tools", TOOL);
    denied =
        meters.counter(
            "aion_tool_denied_system_calls_total", "Denied by their seccomp filter", TOOL);
    readBytes = meters.counter("aion_tool_file_read_bytes_total", "Read from files", TOOL);
    writtenBytes = meters.counter("aion_tool_file_written_bytes_total", "Written to files", TOOL);
    timedCalls =
        meters.counter(
            "aion_tool_timed_system_calls_total",
            "System calls that have no reason to wait, which are timed",
            TOOL);
    timedMicros =
        meters.counter("aion_tool_timed_system_call_us_total", "Microseconds these took", TOOL);
    slowCalls =
        meters.counter("aion_tool_slow_system_calls_total", "Of these, the slow ones", TOOL);
    anomalies =
        meters.counter(
            "aion_tool_anomalies_total", "Seconds in which a tool was unusual", TOOL, "kind");
  }

  void add(String tool, Counts more) {
    calls.add(more.calls(), tool);
    denied.add(more.denied(), tool);
    readBytes.add(more.readBytes(), tool);
    writtenBytes.add(more.writtenBytes(), tool);
    timedCalls.add(more.timedCalls(), tool);
    timedMicros.add(more.timedNanos() / 1_000, tool);
    slowCalls.add(more.slowCalls(), tool);
  }

  void add(String tool, Tally.Anomaly anomaly) {
    anomalies.add(1, tool, anomaly.kind());
  }
}
