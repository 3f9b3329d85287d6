package org.aionos.process;

import static org.aionos.process.Tables.OPERATOR;
import static org.aionos.process.Tables.TENANT;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.AgentProcess.State;
import org.aionos.kernel.AgentProcess.Vitals;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Refused;

/** One seed is one life of a process table. */
final class ProcessTableSimulationTest {

  private static final List<String> CAPABILITIES = List.of("network", "gpu", "filesystem");

  private static final Map<State, Set<State>> EDGES = new EnumMap<>(State.class);

  static {
    EDGES.put(State.REGISTERED, Set.of(State.ALIVE, State.STOPPED));
    EDGES.put(State.ALIVE, Set.of(State.SUSPECT, State.STOPPED));
    EDGES.put(State.SUSPECT, Set.of(State.ALIVE, State.LOST, State.STOPPED));
    EDGES.put(State.LOST, Set.of(State.ALIVE, State.STOPPED));
    EDGES.put(State.STOPPED, Set.of(State.REGISTERED));
  }

  @Property(tries = 60)
  void keeps_its_promises(@ForAll long seed) throws IOException {
    Path folder = Files.createTempDirectory("aion-process-life");
    try (Life life = new Life(seed, folder)) {
      for (int i = 0; i < 100; i++) {
        life.step();
      }
      life.checkRecordedStates();
    } finally {
      delete(folder);
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static final class Life implements AutoCloseable {

    private final Random random;
    private final Path folder;
    private final FakeClock clock = new FakeClock();
    private final FakeJournal journal = new FakeJournal();
    private final Map<AgentId, AgentProcess> known = new HashMap<>();
    private StoredProcessTable table;

    Life(long seed, Path folder) {
      this.random = new Random(seed);
      this.folder = folder;
      this.table = Tables.open(folder, journal, clock);
    }

    void step() {
      AgentId agent = new AgentId("tenantA", "a" + random.nextInt(3));
      Caller by = random.nextInt(4) == 0 ? OPERATOR : TENANT;
      try {
        switch (random.nextInt(9)) {
          case 0, 1 -> table.register(Tables.asks(agent, randomCapabilities()), by);
          case 2 -> approve(agent, by);
          case 3 -> table.heartbeat(agent, new Vitals(1.0, null, null, random.nextInt(9)));
          case 4 -> table.seen(agent);
          case 5 -> table.setStopped(agent, random.nextBoolean(), by);
          case 6 -> clock.advance(Duration.ofMillis(random.nextInt(60_000)));
          case 7 -> table.look();
          default -> reopen();
        }
      } catch (Refused refused) {
        assertThat(refused.problem().message()).isNotBlank();
      }
      table.list(null).forEach(row -> check(row, by));
    }

    private String[] randomCapabilities() {
      Set<String> some = new HashSet<>(CAPABILITIES);
      some.removeIf(capability -> random.nextBoolean());
      return some.toArray(String[]::new);
    }

    private void approve(AgentId agent, Caller by) {
      AgentProcess row = known.get(agent);
      boolean waits = row != null && row.pending() != null;
      table.approve(agent, waits ? row.pending().digest() : "none", by);
    }

    private void reopen() {
      List<AgentProcess> before = table.list(null);
      table.close();
      table = Tables.open(folder, journal, clock);
      // What a heartbeat said belongs to the life before.
      assertThat(table.list(null))
          .usingRecursiveComparison()
          .ignoringFields("vitals")
          .isEqualTo(before);
    }

    private void check(AgentProcess row, Caller by) {
      AgentProcess before = known.put(row.id(), row);
      if (before == null) {
        return;
      }
      assertThat(row.revision()).isBetween(before.revision(), before.revision() + 1);
      if (row.revision() == before.revision()) {
        assertThat(row.declared()).isEqualTo(before.declared());
      }
      if (by != OPERATOR) {
        assertThat(before.declared().capabilities()).containsAll(row.declared().capabilities());
        assertThat(before.declared().syscalls()).containsAll(row.declared().syscalls());
      }
      assertThat(row.registeredAt()).isEqualTo(before.registeredAt());
      assertThat(row.lastSeenAt()).isAfterOrEqualTo(before.lastSeenAt());
    }

    /**
     * What the journal says happened must be a walk along the allowed edges, ending where we are.
     */
    void checkRecordedStates() {
      table.look();
      Map<Object, State> recorded = new HashMap<>();
      for (var event : journal.events) {
        Object agent = event.facts().get("agent");
        State to = State.valueOf(event.facts().get("state").toString().toUpperCase(Locale.ROOT));
        State from = recorded.put(agent, to);
        if (from == null) {
          assertThat(event.kind()).isEqualTo("agent.registered");
        } else if (from != to) {
          assertThat(EDGES.get(from)).contains(to);
        }
      }
      for (AgentProcess row : table.list(null)) {
        assertThat(recorded.get(row.id().toString())).isEqualTo(row.state());
      }
    }

    @Override
    public void close() {
      table.close();
    }
  }
}
