package org.aionos.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import net.jqwik.api.Example;

final class PrometheusMetersTest {

  private final PrometheusMeters meters = new PrometheusMeters();

  private String text() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    meters.writeText(out);
    return out.toString(UTF_8);
  }

  @Example
  void names_stay_as_they_were_given() throws Exception {
    meters.counter("aion_agent_heartbeats", "Heartbeats", "tenant", "agent").add(2, "acme", "w-1");
    meters.millis("aion_kernel_syscall_latency_ms", "Time", "syscall").record(3, "tool.invoke");

    assertThat(text())
        .contains("aion_kernel_syscall_latency_ms_bucket{syscall=\"tool.invoke\",le=\"5.0\"} 1")
        .contains("aion_agent_heartbeats{agent=\"w-1\",tenant=\"acme\"} 2.0");
  }

  @Example
  void asking_twice_for_a_name_gives_the_same_meter() throws Exception {
    meters.counter("aion_calls_total", "Calls").add(1);
    meters.counter("aion_calls_total", "Calls").add(1);

    assertThat(text()).contains("aion_calls_total 2.0");
  }

  @Example
  void a_gauge_goes_with_its_source_and_may_come_again() throws Exception {
    AutoCloseable gauge = meters.gauge("aion_things", "Things", () -> 1);
    assertThat(text()).contains("aion_things 1.0");
    gauge.close();
    assertThat(text()).doesNotContain("aion_things");

    meters.gauge("aion_things", "Things", () -> 2);
    assertThat(text()).contains("aion_things 2.0");
  }
}
