package org.aionos.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Decision;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class VersionedPolicyTest {

  private static final String GOOD =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "%s"
      global: { allow: [network] }
      tenants: { acme: { allow: [network] } }
      """;

  @TempDir Path folder;
  private final EventList journal = new EventList();
  private VersionedPolicy policy;

  private void open() {
    policy =
        Opened.policy(
            folder.resolve("policies"),
            folder.resolve("state"),
            Duration.ofHours(1),
            journal,
            System::nanoTime);
  }

  private void write(String text) throws Exception {
    Files.createDirectories(folder.resolve("policies"));
    Files.writeString(folder.resolve("policies").resolve(VersionedPolicy.FILE_NAME), text);
  }

  @AfterEach
  void close() {
    policy.close();
  }

  @Test
  void without_a_file_everything_is_denied() {
    open();

    assertThat(policy.version().id()).isEqualTo("none");
    assertThat(policy.version().rejected()).contains("does not exist");
    AgentId agent = new AgentId("acme", "worker-1");
    assertThat(
            policy.decide(
                new Asked("sc-1", 1, Calls.syscall(agent, "tool.invoke", Set.of())),
                Calls.agent(agent, Set.of(), Set.of("*")),
                Set.of()))
        .isInstanceOf(Decision.Deny.class);
  }

  @Test
  void a_changed_file_comes_into_force_and_on_record() throws Exception {
    write(GOOD.formatted("1"));
    open();
    write(GOOD.formatted("2"));
    policy.reload();

    assertThat(policy.version().id()).startsWith("2-");
    assertThat(policy.version().rejected()).isEmpty();
    assertThat(journal.kinds).containsExactly("policy.activated", "policy.activated");
  }

  @Test
  void an_invalid_file_keeps_the_last_good_version_and_says_why() throws Exception {
    write(GOOD.formatted("1"));
    open();
    write("global: [not, a, policy");
    policy.reload();

    assertThat(policy.version().id()).startsWith("1-");
    assertThat(policy.version().rejected()).contains("not valid YAML");
    assertThat(journal.kinds).containsExactly("policy.activated", "policy.refused");
  }

  @Test
  void the_last_good_version_survives_a_restart_with_an_invalid_file() throws Exception {
    write(GOOD.formatted("1"));
    open();
    policy.close();
    write("nonsense");
    open();

    assertThat(policy.version().id()).startsWith("1-");
    assertThat(policy.version().rejected()).isNotEmpty();
  }

  @Test
  void a_version_that_cannot_be_recorded_does_not_come_into_force() throws Exception {
    write(GOOD.formatted("1"));
    open();
    write(GOOD.formatted("2"));
    journal.away = true;
    policy.reload();

    assertThat(policy.version().id()).startsWith("1-");
  }
}
