package org.aionos.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.StoreUnavailable;
import org.junit.jupiter.api.Test;

final class GuardedTest {

  private static final Place PLACE = new Place(new AgentId("acme", "ann"), "", "k");

  private Instant now = Instant.parse("2030-01-01T00:00:00Z");
  private final Away server = new Away();
  private final Guarded guarded = new Guarded(server, () -> now);

  private void change() {
    guarded.change(List.of(PLACE), 1, stored -> Map.of());
  }

  @Test
  void a_read_is_tried_twice_and_a_change_once() {
    assertThatThrownBy(() -> guarded.get(PLACE)).isInstanceOf(StoreUnavailable.class);
    assertThat(server.asked).isEqualTo(2);
    assertThatThrownBy(this::change).isInstanceOf(StoreUnavailable.class);
    assertThat(server.asked).isEqualTo(3);
  }

  @Test
  void a_server_that_fails_again_and_again_is_left_alone_and_then_asked_by_one_call() {
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(this::change).isInstanceOf(StoreUnavailable.class);
    }
    assertThat(server.asked).isEqualTo(5);

    now = now.plusSeconds(2);
    assertThatThrownBy(this::change).isInstanceOf(StoreUnavailable.class);
    assertThatThrownBy(this::change).hasMessageContaining("asked again in a moment");
    assertThat(server.asked).isEqualTo(6);

    now = now.plusSeconds(2);
    server.back = true;
    change();
    change();
    assertThat(server.asked).isEqualTo(8);
  }
}
