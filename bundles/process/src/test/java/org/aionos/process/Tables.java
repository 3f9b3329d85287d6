package org.aionos.process;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ProcessTable.Registration;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What the tests of the process table have in common. */
final class Tables {

  static final Lease LEASE = new Lease(Duration.ofSeconds(30), Duration.ofSeconds(120));
  static final AgentId AGENT = new AgentId("tenantA", "researcher-1");
  static final Caller TENANT = Caller.tenantSecret("tenantA", false);
  static final Caller OPERATOR = Caller.person("olga", Role.OPERATOR, null);

  private Tables() {}

  static StoredProcessTable open(Path folder, FakeJournal journal, FakeClock clock) {
    return new StoredProcessTable(LEASE, 5, folder, journal, new FakeMeters(), clock, clock);
  }

  static Registration asks(AgentId agent, String... capabilities) {
    return new Registration(agent, "researcher", "1.0.0", Set.of(capabilities), Map.of(), null);
  }

  /** A registration by manifest. */
  static Registration manifest(String capability, String... syscalls) {
    return new Registration(
        AGENT,
        "researcher",
        "1.0.0",
        null,
        Map.of(),
        """
        apiVersion: aion.os/v1
        kind: Agent
        metadata: { name: researcher, version: "1.0.0" }
        spec:
          capabilities: { %s: true }
          syscalls: ["%s"]
        """
            .formatted(capability, String.join("\", \"", syscalls)));
  }

  static Problem refusal(ThrowingCallable call) {
    Refused refused = catchThrowableOfType(Refused.class, call);
    if (refused == null) {
      throw new AssertionError("was not refused");
    }
    return refused.problem();
  }
}
