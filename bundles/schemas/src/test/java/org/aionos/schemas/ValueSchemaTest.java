package org.aionos.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.Refused;
import org.aionos.schemas.ValueSchema.Fault;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class ValueSchemaTest {

  private static ValueSchema schema(Object written) {
    return ValueSchema.of(written, "/spec/io/input/schema");
  }

  private static Fault fault(Object schema, Map<String, @Nullable Object> value) {
    return schema(schema).fault(value).orElseThrow();
  }

  private static void assertRefused(Object written, String why) {
    assertThatThrownBy(() -> schema(written))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("/spec/io/input/schema")
        .hasMessageContaining(why);
  }

  @Test
  void no_schema_lets_everything_pass() {
    assertThat(ValueSchema.of(null, "").fault(Map.of("any", "thing"))).isEmpty();
  }

  @Test
  void the_short_form_names_fields_and_types() {
    ValueSchema query = schema("query:string, limit:integer?");

    assertThat(query.fault(Map.of("query", "x"))).isEmpty();
    assertThat(query.fault(Map.of("query", "x", "limit", 3, "more", true))).isEmpty();
    assertThat(fault("query:string", Map.of()).pointer()).isEqualTo("/query");
    assertThat(fault("query:string", Map.of()).missing()).isTrue();
    assertThat(fault("query:string", Map.of("query", 7)).pointer()).isEqualTo("/query");
    assertThat(fault("query:string, limit:integer?", Map.of("query", "x", "limit", 1.5)).pointer())
        .isEqualTo("/limit");
    assertThat(schema("items:list").fault(Map.of("items", List.of()))).isEmpty();
  }

  @Test
  void the_long_form_is_json_schema_2020_12() {
    Object schema =
        Map.of(
            "type",
            "object",
            "properties",
            Map.of(
                "list", Map.of("type", "array", "prefixItems", List.of(Map.of("type", "number")))),
            "dependentRequired",
            Map.of("a", List.of("b")),
            "additionalProperties",
            false);

    assertThat(schema(schema).fault(Map.of("list", List.of(1, "x")))).isEmpty();
    assertThat(fault(schema, Map.of("list", List.of("x"))).pointer()).isEqualTo("/list/0");
    assertThat(fault(schema, Map.of("a/b", 1)).pointer()).isEqualTo("/a~1b");
  }

  @Test
  void references_within_a_schema_are_followed() {
    Object schema =
        Map.of(
            "$defs", Map.of("name", Map.of("type", "string", "pattern", "^[a-z]+$")),
            "properties", Map.of("name", Map.of("$ref", "#/$defs/name")));

    assertThat(schema(schema).fault(Map.of("name", "ada"))).isEmpty();
    assertThat(fault(schema, Map.of("name", "ADA")).pointer()).isEqualTo("/name");
  }

  @Test
  void null_is_a_value() {
    Map<String, @Nullable Object> value = new HashMap<>();
    value.put("a", null);

    assertThat(fault("a:string", value).pointer()).isEqualTo("/a");
    assertThat(schema(Map.of("properties", Map.of("a", Map.of("type", "null")))).fault(value))
        .isEmpty();
  }

  @Test
  void what_is_no_schema_is_refused() {
    assertRefused("query", "<name>:<type>");
    assertRefused("query:strnig", "<name>:<type>");
    assertRefused("", "<name>:<type>");
    assertRefused(7, "mapping");
    assertRefused(Map.of("properties", Map.of("a", Map.of("pattern", "(["))), "");
    assertRefused(Map.of("$schema", "http://json-schema.org/draft-07/schema#"), "2020-12");
  }

  @Test
  void what_cannot_be_bounded_is_refused() {
    assertRefused(Map.of("$ref", "https://example.org/schema.json"), "names nothing");
    assertRefused(Map.of("$ref", "file:///etc/passwd"), "names nothing");
    assertRefused(Map.of("$ref", "#"), "circle");
    assertRefused(Map.of("properties", Map.of("a", Map.of("$ref", "#"))), "circle");
    assertRefused(Map.of("$dynamicRef", "#x"), "$dynamicRef");
    Map<String, Object> doubling = new LinkedHashMap<>();
    for (int i = 0; i < 40; i++) {
      Object next = Map.of("$ref", "#/$defs/d" + (i + 1));
      doubling.put("d" + i, Map.of("anyOf", List.of(next, next)));
    }
    doubling.put("d40", Map.of("type", "string"));
    assertRefused(Map.of("$defs", doubling, "$ref", "#/$defs/d0"), "unfolds");
    // Look-behind and back-references are what makes matching slow.
    assertRefused(Map.of("properties", Map.of("a", Map.of("pattern", "(a)\\1"))), "");
  }

  @Test
  void a_pattern_that_backtracks_elsewhere_takes_linear_time_here() {
    ValueSchema schema = schema(Map.of("properties", Map.of("a", Map.of("pattern", "^(a+)+$"))));

    assertThat(schema.fault(Map.of("a", "a".repeat(50_000) + "!"))).isPresent();
  }
}
