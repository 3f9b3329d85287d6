package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Killed in the middle of its work again and again, the kernel comes back with all it answered. */
@Tag("soak")
@Order(12)
class CrashIT {

  private static final int CLIENTS = 8;
  private static final int CRASHES = Integer.getInteger("soak.crashes", 2);
  private static final Random RANDOM = new Random(Long.getLong("soak.seed", 20260101L));

  @Test
  void nothing_that_was_answered_is_lost_to_a_kill() throws IOException {
    try (RunningKernel kernel = RunningKernel.named("crash").start()) {
      for (int crash = 1; crash <= CRASHES; crash++) {
        String agent = "agent://tenantA/crash-" + crash;
        List<String> answered = killUnderLoad(kernel, agent);

        long begun = System.nanoTime();
        kernel.up();
        long bootMillis = (System.nanoTime() - begun) / 1_000_000;

        Await.until(
            "calls succeed again",
            Duration.ofSeconds(30),
            () -> kernel.invoke("echo", Map.of("text", "again")).status() == 200);
        Signer operator = kernel.operator();
        for (String auditId : answered) {
          Answer record = kernel.call(operator, "GET", "/v1/syscalls/" + auditId).expect(200);
          assertThat(record.at("/ended/code")).as(record.text()).isEqualTo("OK");
        }
        Shell verified = kernel.auditVerify();
        assertThat(verified.exit()).as(verified.output()).isZero();
        String agents = kernel.call(operator, "GET", "/v1/agents?limit=1000").text();
        for (int earlier = 1; earlier <= crash; earlier++) {
          assertThat(agents).contains("agent://tenantA/crash-" + earlier + "\"");
        }
        System.out.println(
            "crash "
                + crash
                + ": "
                + answered.size()
                + " answered, all on record; up again after "
                + bootMillis
                + " ms; "
                + verified.output().strip().lines().findFirst().orElse(""));
      }
    }
  }

  /** The audit ids of all calls that were answered before the kill. */
  private static List<String> killUnderLoad(RunningKernel kernel, String agent) {
    Load load = new Load(kernel, CLIENTS);
    try (load) {
      int calls = 100 + RANDOM.nextInt(900);
      Await.until("some calls are answered", Duration.ofSeconds(60), () -> load.count200() > calls);
      ObjectNode registration = RunningKernel.JSON.createObjectNode();
      registration.put("agent_id", agent).put("name", "crash").put("version", "1.0.0");
      kernel.call(RESEARCHER_V2, "POST", "/v1/agent/register", registration).expect(200);
      kernel.kill9();
    }
    assertThat(load.oddities()).isEmpty();
    return load.answeredIds();
  }
}
