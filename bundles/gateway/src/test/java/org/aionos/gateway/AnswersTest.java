package org.aionos.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Example;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Reply;

final class AnswersTest {

  @Example
  void success_has_the_shape_of_the_contract() {
    Outcome.Ok ok =
        new Outcome.Ok(
            Map.of("items", List.of("سلام")),
            new Outcome.Spent(new BigDecimal("0.002"), 3, 4),
            new Outcome.Engine("module", "tooling/web_search@1.2.0"));

    assertThat(text(Answers.of(new Reply("sc-1", ok, Duration.ofNanos(412_345_678)))))
        .isEqualTo(
            "{\"status\":\"ok\",\"result\":{\"items\":[\"سلام\"]},"
                + "\"usage\":{\"latency_ms\":412.345,\"cost_usd\":0.002,\"tokens_in\":3,\"tokens_out\":4},"
                + "\"engine\":{\"kind\":\"module\",\"name\":\"tooling/web_search@1.2.0\"},"
                + "\"audit_id\":\"sc-1\"}");
  }

  @Example
  void failure_says_what_is_wrong_who_must_act_and_when_to_retry() {
    Problem problem = Problem.later(Code.RATE_LIMITED, "slow down", Duration.ofMillis(250));

    assertThat(text(Answers.of(problem, "ev-1", null)))
        .isEqualTo(
            "{\"status\":\"error\",\"error\":{\"code\":\"RATE_LIMITED\",\"number\":400,"
                + "\"blame\":\"budget\",\"message\":\"slow down\",\"retry\":\"after_delay\","
                + "\"retry_after_ms\":250},\"audit_id\":\"ev-1\"}");
  }

  private static String text(byte[] json) {
    return new String(json, UTF_8);
  }
}
