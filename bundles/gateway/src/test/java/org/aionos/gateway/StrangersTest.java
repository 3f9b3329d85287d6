package org.aionos.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.Example;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Syscall;

final class StrangersTest {

  private final AtomicLong nanos = new AtomicLong();
  private final List<Journal.Event> events = new ArrayList<>();
  private final Kernel kernel = new Kernel();
  private final Strangers strangers = new Strangers(kernel, 5, nanos::get);

  StrangersTest() {
    kernel.journal =
        new Journal() {
          @Override
          public Asked asked(Syscall syscall) {
            throw new AssertionError("a stranger asks nothing");
          }

          @Override
          public void ended(Asked asked, Decision by, Outcome outcome, Duration took) {
            throw new AssertionError("a stranger ends nothing");
          }

          @Override
          public String record(Event event) {
            events.add(event);
            return "ev-" + events.size();
          }
        };
  }

  @Example
  void ten_thousand_refusals_are_two_records_and_each_answer_names_the_first() {
    Problem problem = Problem.of(Code.BAD_SIGNATURE, "the signature does not match");
    for (int i = 0; i < 10_000; i++) {
      Strangers.Refusal refusal = strangers.refuse(problem, "10.0.0." + i % 50);
      assertThat(refusal.auditId()).isEqualTo("ev-1");
    }
    nanos.addAndGet(Duration.ofSeconds(11).toNanos());
    strangers.refuse(problem, "10.0.0.1");

    assertThat(events).hasSize(3);
    assertThat(events.get(1).facts())
        .containsEntry("count", 10_000L)
        .containsEntry("window", "ev-1");
    assertThat(events.get(1).facts().get("addresses").toString()).contains("others");
  }

  @Example
  void a_fast_stranger_is_told_no_more_than_to_slow_down() {
    Problem problem = Problem.of(Code.BAD_SIGNATURE, "the signature does not match");
    List<Code> told = new ArrayList<>();
    for (int i = 0; i < 11; i++) {
      told.add(strangers.refuse(problem, "10.0.0.1").problem().code());
    }

    assertThat(told.subList(0, 10)).containsOnly(Code.BAD_SIGNATURE);
    assertThat(told.get(10)).isEqualTo(Code.RATE_LIMITED);
  }

  @Example
  void without_a_journal_the_answer_has_no_id_but_there_is_one() {
    kernel.journal = null;

    assertThat(strangers.refuse(Problem.of(Code.BAD_SIGNATURE, "no"), "10.0.0.1").auditId())
        .isEmpty();
  }
}
