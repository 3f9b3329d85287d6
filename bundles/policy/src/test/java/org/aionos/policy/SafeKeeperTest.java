package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.aionos.kernel.policy.PolicyVersions.Figures;
import org.aionos.policies.Gates;
import org.aionos.policies.Gates.Gate;
import org.aionos.policies.Gates.Metric;
import org.aionos.policies.Gates.Query;
import org.aionos.policy.SafeKeeper.Next;

final class SafeKeeperTest {

  private static final Figures GOOD = new Figures(100, 0.02, 20, 1);

  private static Gates gates(int failuresMax, int inconclusiveMax, Gate... gates) {
    return new Gates(1, 10, failuresMax, inconclusiveMax, 60, List.of(gates));
  }

  private static Gate gate(Metric metric, String max, String ratio) {
    return new Gate(
        metric.written(),
        metric,
        max == null ? null : new BigDecimal(max),
        ratio == null ? null : new BigDecimal(ratio),
        null);
  }

  private static boolean fails(Gate gate, Figures now, Figures beside) {
    return new SafeKeeper().judge(gates(1, 9, gate), now, beside, Map.of()) == Next.GO_BACK;
  }

  @Example
  void each_figure_has_bounds_of_its_own_and_by_what_was() {
    assertThat(fails(gate(Metric.ERROR_RATE, "0.1", null), new Figures(10, 0.11, 1, 0), GOOD))
        .isTrue();
    assertThat(fails(gate(Metric.ERROR_RATE, "0.1", null), new Figures(10, 0.1, 1, 0), GOOD))
        .isFalse();
    assertThat(fails(gate(Metric.P95_MS, "50", null), new Figures(10, 0, 51, 0), GOOD)).isTrue();
    assertThat(fails(gate(Metric.P95_MS, null, "2"), new Figures(10, 0, 41, 0), GOOD)).isTrue();
    assertThat(fails(gate(Metric.P95_MS, null, "2"), new Figures(10, 0, 40, 0), GOOD)).isFalse();
    assertThat(fails(gate(Metric.ERROR_RATE, null, "2"), new Figures(10, 0.05, 1, 0), GOOD))
        .isTrue();
    assertThat(fails(gate(Metric.USD_PER_HOUR, "2", null), new Figures(10, 0, 1, 2.1), GOOD))
        .isTrue();
    // A tenth of the calls at a tenth of the cost is not cheaper.
    assertThat(fails(gate(Metric.USD_PER_HOUR, null, "2"), new Figures(10, 0, 1, 0.1), GOOD))
        .isFalse();
    assertThat(fails(gate(Metric.USD_PER_HOUR, null, "2"), new Figures(10, 0, 1, 0.3), GOOD))
        .isTrue();
  }

  @Example
  void a_ratio_to_nothing_is_not_infinite() {
    Figures perfect = new Figures(100, 0, 0.1, 0);
    assertThat(fails(gate(Metric.ERROR_RATE, null, "2"), new Figures(100, 0.02, 1, 0), perfect))
        .isFalse();
    assertThat(fails(gate(Metric.ERROR_RATE, null, "2"), new Figures(100, 0.03, 1, 0), perfect))
        .isTrue();
    assertThat(fails(gate(Metric.P95_MS, null, "2"), new Figures(100, 0, 1.5, 0), perfect))
        .isFalse();
  }

  @Example
  void too_few_calls_are_never_a_pass_and_call_an_operator_once() {
    Gates gates = gates(2, 3, gate(Metric.ERROR_RATE, "0.1", null));
    SafeKeeper keeper = new SafeKeeper();
    Figures few = new Figures(9, 1, 1, 0);

    assertThat(keeper.judge(gates, few, GOOD, Map.of())).isEqualTo(Next.GO_ON);
    assertThat(keeper.judge(gates, few, GOOD, Map.of())).isEqualTo(Next.GO_ON);
    assertThat(keeper.judge(gates, few, GOOD, Map.of())).isEqualTo(Next.CALL_OPERATOR);
    keeper.pause();
    assertThat(keeper.judge(gates, few, GOOD, Map.of())).isEqualTo(Next.GO_ON);
    assertThat(keeper.paused()).isTrue();
    assertThat(keeper.says()).contains("9 calls");
  }

  @Example
  void an_interval_without_a_conclusion_does_not_make_a_failure_forgotten() {
    Gates gates = gates(2, 9, gate(Metric.ERROR_RATE, "0.1", null));
    SafeKeeper keeper = new SafeKeeper();
    Figures bad = new Figures(20, 0.5, 1, 0);

    assertThat(keeper.judge(gates, bad, GOOD, Map.of())).isEqualTo(Next.GO_ON);
    assertThat(keeper.judge(gates, Figures.NONE, GOOD, Map.of())).isEqualTo(Next.GO_ON);
    assertThat(keeper.judge(gates, bad, GOOD, Map.of())).isEqualTo(Next.GO_BACK);
  }

  @Example
  void a_meter_that_is_not_there_concludes_nothing() {
    Gate queue =
        new Gate(
            "queue",
            Metric.QUERY,
            new BigDecimal("5"),
            null,
            new Query("aion_queue", Map.of(), false));
    Gates gates = gates(1, 9, queue);

    SafeKeeper keeper = new SafeKeeper();
    assertThat(keeper.judge(gates, GOOD, GOOD, Map.of())).isEqualTo(Next.GO_ON);
    assertThat(keeper.inconclusive()).isEqualTo(1);
    assertThat(keeper.judge(gates, GOOD, GOOD, Map.of("queue", 6.0))).isEqualTo(Next.GO_BACK);
  }

  @Example
  void meters_are_read_by_name_and_labels() {
    String text =
        """
        # HELP aion_queue x
        # TYPE aion_queue gauge
        aion_queue{queue="high"} 3.0
        aion_queue{queue="low",odd="a}b\\"c"} 4.0
        aion_queue_total 7.0
        aion_plain 1.5E3 1700000000
        """;
    assertThat(MeterReadings.sum(text, new Query("aion_queue", Map.of(), false))).isEqualTo(7);
    assertThat(MeterReadings.sum(text, new Query("aion_queue", Map.of("queue", "high"), false)))
        .isEqualTo(3);
    assertThat(MeterReadings.sum(text, new Query("aion_queue", Map.of("queue", "hi"), false)))
        .isNull();
    assertThat(MeterReadings.sum(text, new Query("aion_plain", Map.of(), false))).isEqualTo(1_500);
    assertThat(MeterReadings.sum(text, new Query("aion", Map.of(), false))).isNull();
  }

  /** One seed is one life of a version, by turns well, ill and without calls. */
  @Property(tries = 500)
  void it_goes_back_when_it_was_ill_so_often_in_a_row_and_never_else(@ForAll long seed) {
    Random random = new Random(seed);
    int failuresMax = 1 + random.nextInt(4);
    int inconclusiveMax = 1 + random.nextInt(6);
    Gates gates =
        gates(
            failuresMax,
            inconclusiveMax,
            gate(Metric.ERROR_RATE, "0.2", "3"),
            gate(Metric.P95_MS, null, "2"));
    SafeKeeper keeper = new SafeKeeper();
    int ill = 0;
    int silent = 0;
    boolean called = false;
    for (int interval = 0; interval < 200; interval++) {
      int kind = random.nextInt(3);
      Figures now =
          kind == 0
              ? new Figures(random.nextInt(10), random.nextDouble(), 500 * random.nextDouble(), 0)
              : new Figures(
                  10 + random.nextInt(100),
                  kind == 1 ? 0.05 * random.nextDouble() : 0.21 + 0.5 * random.nextDouble(),
                  40 * random.nextDouble(),
                  0);
      ill = kind == 1 ? 0 : ill + kind / 2;
      silent = kind == 0 ? silent + 1 : 0;
      Next next = keeper.judge(gates, now, GOOD, Map.of());

      if (ill >= failuresMax) {
        assertThat(next).isEqualTo(Next.GO_BACK);
        return;
      }
      boolean calls = silent >= inconclusiveMax && !called;
      assertThat(next).isEqualTo(calls ? Next.CALL_OPERATOR : Next.GO_ON);
      if (calls) {
        keeper.pause();
        called = true;
      }
    }
  }
}
