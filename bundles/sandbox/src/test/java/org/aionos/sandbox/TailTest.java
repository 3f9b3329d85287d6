package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class TailTest {

  @Test
  void keeps_all_of_little() {
    Tail tail = new Tail(10);

    write(tail, "12345");
    write(tail, "67890");

    assertThat(tail.text()).isEqualTo("1234567890");
    assertThat(tail.written()).isEqualTo(10);
  }

  /** Held beside the simplest thing that does the same. */
  @Test
  void keeps_the_last_of_much_however_it_comes() {
    Random random = new Random(7);
    for (int round = 0; round < 300; round++) {
      int max = 1 + random.nextInt(10_000);
      Tail tail = new Tail(max);
      StringBuilder all = new StringBuilder();
      for (int i = random.nextInt(20); i >= 0; i--) {
        String some = Character.toString('a' + random.nextInt(26)).repeat(random.nextInt(3_000));
        all.append(some);
        write(tail, some);
      }

      assertThat(tail.written()).isEqualTo(all.length());
      assertThat(tail.text()).isEqualTo(all.substring(Math.max(0, all.length() - max)));
    }
  }

  @Test
  void a_character_that_has_lost_its_beginning_is_left_out() {
    Tail tail = new Tail(4);

    write(tail, "a€bc");

    assertThat(tail.text()).isEqualTo("bc");
  }

  @Test
  void nothing_is_kept_where_nothing_is_to_be() {
    Tail tail = new Tail(0);

    write(tail, "some");

    assertThat(tail.text()).isEmpty();
    assertThat(tail.written()).isEqualTo(4);
  }

  private static void write(Tail tail, String text) {
    byte[] bytes = text.getBytes(UTF_8);
    tail.write(bytes, bytes.length);
  }
}
