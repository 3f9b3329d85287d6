package org.aionos.backend.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Place;
import org.junit.jupiter.api.Test;

final class ItemKeysTest {

  private static final AgentId ANN = new AgentId("acme", "ann");

  @Test
  void every_place_has_a_key_of_its_own_and_is_read_from_it() {
    List<String> texts = List.of("a", ":", "a:b", "%", "%3A", "%25", "b", "سلام", "a%3Ab", "::");
    Set<String> keys = new HashSet<>();
    for (String task : texts) {
      for (String key : texts) {
        Place place = new Place(ANN, task, key);
        assertThat(ItemKeys.place(ItemKeys.item(place))).isEqualTo(place);
        assertThat(ItemKeys.place("acme", ItemKeys.name(place))).isEqualTo(place);
        keys.add(new String(ItemKeys.item(place), UTF_8));
      }
    }
    assertThat(keys).hasSize(texts.size() * texts.size());
  }

  @Test
  void where_a_page_goes_on_is_of_its_agent_or_tenant_alone() {
    Place place = new Place(ANN, "t", "k");
    String next = ItemKeys.next(place);

    assertThat(ItemKeys.after(next, "acme", "ann")).isEqualTo(ItemKeys.name(place));
    assertThat(ItemKeys.after(next, "acme")).isEqualTo(ItemKeys.name(place));
    for (String[] whose : new String[][] {{"acme", "an"}, {"acm", "ann"}, {"other"}}) {
      assertThatThrownBy(() -> ItemKeys.after(next, whose)).isInstanceOf(Refused.class);
    }
    String cut = Base64.getUrlEncoder().encodeToString("acme\0ann\0t".getBytes(UTF_8));
    assertThatThrownBy(() -> ItemKeys.after(cut, "acme", "ann")).isInstanceOf(Refused.class);
  }
}
