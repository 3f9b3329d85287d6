package org.aionos.brain;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.junit.jupiter.api.Test;

class YamlTextTest {

  @Test
  void it_reads_as_people_write() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("apiVersion", "aion.os/v1");
    values.put("tenants", Map.of("acme", Map.of("usd_per_hour", new BigDecimal("2.50"))));
    values.put("routes", List.of("local/a", "1.5", "no"));

    assertThat(YamlText.of("Why.", values))
        .isEqualTo(
            """
            # Why.
            apiVersion: aion.os/v1
            tenants:
              acme:
                usd_per_hour: 2.50
            routes: [local/a, "1.5", "no"]
            """);
  }

  @Property(tries = 500)
  void what_is_written_is_read_again_as_it_was(@ForAll("documents") Map<String, Object> values)
      throws InvalidDocument {
    assertThat(Documents.yaml(YamlText.of("x", values)).values()).isEqualTo(values);
  }

  @Provide
  Arbitrary<Map<String, Object>> documents() {
    Arbitrary<String> texts =
        Arbitraries.oneOf(
            Arbitraries.of(
                "yes",
                "NO",
                "null",
                "~",
                "1e3",
                "0x1",
                "2026-01-01",
                "a: b",
                "- a",
                "#c",
                "'",
                "\"",
                "{a}",
                "a\nb",
                " a ",
                "",
                "&a",
                "*a",
                "!x",
                "%d",
                "|",
                "=",
                "<<",
                ".inf",
                "0b1",
                "1_0",
                "ü",
                "\u00e4\u5f85"),
            Arbitraries.strings().withCharRange(' ', '~').ofMaxLength(20));
    Arbitrary<Object> scalars =
        Arbitraries.oneOf(
            texts.map(text -> text),
            Arbitraries.integers().map(number -> number),
            Arbitraries.of(true, false).map(flag -> flag));
    Arbitrary<Object> values =
        Arbitraries.lazyOf(
            () -> scalars,
            () -> scalars.list().ofMaxSize(4).map(list -> list),
            () -> Arbitraries.maps(keys(), scalars).ofMaxSize(4).map(map -> map),
            () ->
                Arbitraries.maps(keys(), Arbitraries.maps(keys(), scalars).ofMaxSize(3))
                    .ofMaxSize(3)
                    .map(map -> map),
            () ->
                Arbitraries.maps(keys(), scalars)
                    .ofMaxSize(3)
                    .list()
                    .ofMaxSize(3)
                    .map(list -> list));
    return Arbitraries.maps(keys(), values).ofMinSize(1).ofMaxSize(5);
  }

  private static Arbitrary<String> keys() {
    return Arbitraries.oneOf(
        Arbitraries.of("on", "null", "123", "a b", "a:b", "__proto__", "y", "-", "?x"),
        Arbitraries.strings().withCharRange('a', 'z').ofMinLength(1).ofMaxLength(8));
  }
}
