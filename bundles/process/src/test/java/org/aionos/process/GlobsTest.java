package org.aionos.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GlobsTest {

  @ParameterizedTest
  @CsvSource({
    "*, memory.put, true",
    "*, *, true",
    "memory.*, memory.put, true",
    "memory.*, memory.*, true",
    "memory.*, memory.p*, true",
    "memory.*, *, false",
    "memory.*, memory*, false",
    "memory.p*, memory.*, false",
    "memory.put, memory.*, false",
    "*.put, memory.put, true",
    "*.put, memory.putt, false",
    "a*c*e, abcde, true",
    "a*c*e, a*c*e, true",
    "a*c*e, a*e, false",
    "a**, a*, true",
    "a*, a**, true",
  })
  void one_pattern_covers_another(String wide, String narrow, boolean covers) {
    assertThat(Globs.covers(wide, narrow)).isEqualTo(covers);
  }

  @Property(tries = 2_000)
  void agrees_with_a_regular_expression(
      @ForAll @Chars({'*', 'a', 'b'}) @StringLength(max = 7) String wide,
      @ForAll @CharRange(from = 'a', to = 'b') @StringLength(max = 9) String name) {
    Pattern pattern = Pattern.compile(wide.replace("*", ".*"));

    assertThat(Globs.covers(wide, name)).isEqualTo(pattern.matcher(name).matches());
  }

  @Property(tries = 2_000)
  void what_is_covered_matches_no_more(
      @ForAll @Chars({'*', 'a', 'b'}) @StringLength(max = 6) String wide,
      @ForAll @Chars({'*', 'a', 'b'}) @StringLength(max = 6) String narrow,
      @ForAll @CharRange(from = 'a', to = 'b') @StringLength(max = 6) String name) {
    if (Globs.covers(wide, narrow) && Globs.covers(narrow, name)) {
      assertThat(Globs.covers(wide, name)).isTrue();
    }
  }

  @Test
  void many_stars_take_no_time() {
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(2), () -> Globs.covers("*a".repeat(31) + "b", "a".repeat(63)));
  }
}
