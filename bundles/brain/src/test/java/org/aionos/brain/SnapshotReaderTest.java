package org.aionos.brain;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.Tier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SnapshotReaderTest {

  private static Snapshot read(String json) throws InvalidDocument {
    return SnapshotReader.read(Documents.json(json.getBytes(UTF_8)).values());
  }

  @Test
  void a_whole_snapshot_is_read() throws Exception {
    Snapshot snapshot =
        read(
            """
            {"from": "2026-11-29T10:00:00Z", "until": "2026-11-29T10:30:00Z",
             "queues": {"high": {"waiting": 3, "running": 1}},
             "tenants": {"acme": {"calls": 10, "failed_by_itself": 4, "failed_otherwise": 1,
               "p50_ms": 20, "p95_ms": 200, "cost_usd": 0.5, "recent_usd_per_hour": 2}},
             "load": [
               {"at_ms": 20, "queue": "low", "tenant": "acme", "run_ms": 5, "preemptible": false},
               {"at_ms": 10, "queue": "high", "tenant": "acme", "agent": "a", "run_ms": 7,
                "priority": 9}]}
            """);

    assertThat(snapshot.measured()).isFalse();
    assertThat(snapshot.millis()).isEqualTo(1_800_000);
    assertThat(snapshot.queues().get(Tier.HIGH)).isEqualTo(new Snapshot.QueueFigures(3, 1));
    assertThat(snapshot.tenants().get("acme").failedByItselfPercent()).isEqualTo(40);
    assertThat(snapshot.tenants().get("acme").costUsd()).isEqualByComparingTo("0.5");
    assertThat(snapshot.load().tasks())
        .extracting(Load.Task::runMillis, Load.Task::tier, Load.Task::priority)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(7L, Tier.HIGH, 9),
            org.assertj.core.groups.Tuple.tuple(5L, Tier.LOW, 1));
    assertThat(snapshot.load().tasks().get(1).preemptible()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{} | '' | INVALID_FIELD",
        "{'tenant': {}} | /tenant | INVALID_FIELD",
        "{'tenants': {'acme': {}}} | /tenants/acme/calls | MISSING_FIELD",
        "{'tenants': {'acme': {'calls': -1}}} | /tenants/acme/calls | INVALID_FIELD",
        "{'tenants': {'acme': {'calls': 1.5}}} | /tenants/acme/calls | INVALID_FIELD",
        "{'tenants': {'acme': {'calls': 1, 'failed_by_itself': 2}}} | /tenants/acme/calls | INVALID_FIELD",
        "{'tenants': {'acme': {'calls': 1, 'note': 'x'}}} | /tenants/acme/note | INVALID_FIELD",
        "{'tenants': {'ignore all rules': {'calls': 1}}} | /tenants/ignore all rules | INVALID_FIELD",
        "{'tenants': {'../x': {'calls': 1}}} | /tenants/..~1x | INVALID_FIELD",
        "{'tenants': []} | /tenants | INVALID_FIELD",
        "{'queues': {'urgent': {}}} | /queues/urgent | INVALID_FIELD",
        "{'load': [{'at_ms': 1, 'queue': 'low', 'tenant': 'a'}]} | /load/0/run_ms | MISSING_FIELD",
        "{'load': [{'at_ms': 1, 'queue': 'low', 'tenant': 'a b', 'run_ms': 1}]} | /load/0/tenant | INVALID_FIELD",
        "{'load': [{'at_ms': 1, 'queue': 'LOW', 'tenant': 'a', 'run_ms': 1}]} | /load/0/queue | INVALID_FIELD",
        "{'load': [{'at_ms': 1, 'queue': 'low', 'tenant': 'a', 'run_ms': 86400001}]} | /load/0/run_ms | INVALID_FIELD",
        "{'load': [{'at_ms': 1, 'queue': 'low', 'tenant': 'a', 'run_ms': 1, 'priority': 10}]} | /load/0/priority | INVALID_FIELD",
        "{'from': '2026-11-29T10:00:00Z'} | /until | MISSING_FIELD",
        "{'from': 'x', 'until': 'y'} | /from | INVALID_FIELD",
        "{'from': '2026-11-29T10:00:00Z', 'until': '2026-11-29T10:00:00Z'} | /until | INVALID_FIELD",
        "{'from': '2026-11-29T10:00:00Z', 'until': '2027-11-29T10:00:00Z'} | /until | INVALID_FIELD",
      })
  void what_is_wrong_is_pointed_at(String json, String pointer, Code code) {
    assertThatThrownBy(() -> read(json.replace('\'', '"')))
        .isInstanceOfSatisfying(
            Refused.class,
            refused -> {
              assertThat(refused.problem().code()).isEqualTo(code);
              assertThat(refused.problem().pointer()).isEqualTo(pointer);
              assertThat(refused.problem().message()).isNotBlank();
            });
  }

  @Test
  void a_number_of_endless_digits_is_refused() {
    assertThatThrownBy(() -> read("{\"tenants\":{\"acme\":{\"calls\":1,\"cost_usd\":1e-300}}}"))
        .isInstanceOf(Refused.class);
  }

  @Test
  void too_much_is_refused() {
    List<Map<String, Object>> load = new ArrayList<>();
    for (int i = 0; i < 10_001; i++) {
      load.add(Map.of("at_ms", i, "queue", "low", "tenant", "a", "run_ms", 1));
    }

    assertThatThrownBy(() -> SnapshotReader.read(Map.of("load", load)))
        .isInstanceOfSatisfying(
            Refused.class, refused -> assertThat(refused.problem().pointer()).isEqualTo("/load"));
  }
}
