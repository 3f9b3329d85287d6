package org.aionos.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StepsTest {

  private static final Map<String, Map<String, @Nullable Object>> RESULTS =
      Map.of(
          "a",
          Map.of(
              "items",
              List.of(Map.of("title", "first"), Map.of("title", "second")),
              "a/b",
              Map.of("m~n", "odd", "~1", "odder"),
              "",
              "nameless",
              "nothing",
              Map.of()));

  private static Object resolved(Object params) {
    return Steps.resolved(step(Map.of("p", params)), RESULTS).get("p");
  }

  private static Steps.Step step(Map<String, @Nullable Object> params) {
    return new Steps.Step("s", "x.y", params, java.util.Set.of(), Syscall.Budget.NONE);
  }

  private static List<Steps.Step> read(Object steps) throws InvalidDocument {
    return Steps.of(new Intent.Workflow(), Fields.of(Map.of("steps", steps), "/params"));
  }

  @ParameterizedTest
  @CsvSource({
    "/a/items/0/title, first",
    "/a/items/1/title, second",
    "/a/a~1b/m~0n, odd",
    "/a/a~1b/~01, odder",
    "/a/, nameless"
  })
  void a_reference_stands_for_what_is_at_its_pointer(String reference, String value) {
    assertThat(resolved(Map.of("$ref", reference))).isEqualTo(value);
    assertThat(resolved(List.of(1, Map.of("deep", Map.of("$ref", reference)))))
        .isEqualTo(List.of(1, Map.of("deep", value)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/a/items/2",
        "/a/items/-",
        "/a/items/01",
        "/a/items/-1",
        "/a/items/x",
        "/a/none",
        "/b",
        "/a/items/0/title/x",
        "/a/items/99999999999"
      })
  void a_reference_to_nothing_is_told_so(String reference) {
    Refused refused =
        catchThrowableOfType(Refused.class, () -> resolved(Map.of("$ref", reference)));

    assertThat(refused.problem().code()).isEqualTo(Code.INVALID_FIELD);
    assertThat(refused.problem().message()).contains(reference);
  }

  @Test
  void a_map_that_holds_more_than_a_reference_is_none() {
    Map<String, Object> more = Map.of("$ref", "/a/items", "x", 1);
    assertThat(resolved(more)).isEqualTo(more);
    assertThat(resolved(Map.of("$ref", 7))).isEqualTo(Map.of("$ref", 7));
    assertThat(resolved(Map.of("$ref", "/a/nothing"))).isEqualTo(Map.of());
  }

  @Test
  void params_as_a_whole_may_be_a_reference_to_an_object() {
    assertThat(Steps.resolved(step(Map.of("$ref", "/a/items/0")), RESULTS))
        .isEqualTo(Map.of("title", "first"));
    assertThatThrownBy(() -> Steps.resolved(step(Map.of("$ref", "/a/items")), RESULTS))
        .hasMessageContaining("no object");
  }

  @Test
  void many_references_to_a_long_result_are_refused_before_they_fill_the_memory() {
    Map<String, Map<String, @Nullable Object>> results =
        Map.of("a", Map.of("text", "x".repeat(100_000)));
    List<Object> many = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      many.add(Map.of("$ref", "/a"));
    }

    assertThatThrownBy(() -> Steps.resolved(step(Map.of("all", many)), results))
        .hasMessageContaining("too long");
  }

  @Test
  void params_of_a_single_call_are_its_own_whatever_they_look_like() throws InvalidDocument {
    Map<String, @Nullable Object> schema = Map.of("s", Map.of("$ref", "#/definitions/x"));

    assertThat(Steps.of(new Intent.Call("x.y"), Fields.of(schema, "/params")).get(0).params())
        .isEqualTo(schema);
  }

  @Test
  void a_step_has_all_that_a_call_has() throws InvalidDocument {
    Steps.Step step =
        read(List.of(
                Map.of(
                    "id", "one",
                    "syscall", "tool.invoke",
                    "params", Map.of("tool", "echo"),
                    "caps_required", List.of("network"),
                    "budget", Map.of("usd_max", 0.5, "latency_ms", 300))))
            .get(0);

    assertThat(step.capsRequired()).containsExactly("network");
    assertThat(step.budget().usdMax()).isEqualByComparingTo("0.5");
    assertThat(step.budget().latencyMax()).hasMillis(300);
  }

  private static Map<String, Object> step(String id, Object params) {
    return Map.of("id", id, "syscall", "x.y", "params", params);
  }

  @Test
  void what_is_wrong_with_steps_is_said_with_its_pointer() {
    assertPointer("/params/steps", List.of());
    assertPointer("/params/steps", "none");
    assertPointer("/params/steps", new ArrayList<>(Arrays.asList(new Object[101])));
    assertPointer("/params/steps/0", List.of("text"));
    assertPointer("/params/steps/0/id", List.of(Map.of("syscall", "x.y")));
    assertPointer("/params/steps/0/id", List.of(step("a/b", Map.of())));
    assertPointer("/params/steps/1/id", List.of(step("a", Map.of()), step("a", Map.of())));
    assertPointer("/params/steps/0/syscall", List.of(Map.of("id", "a")));
    assertPointer("/params/steps/0/syscall", List.of(Map.of("id", "a", "syscall", "X Y")));
    assertPointer("/params/steps/0/params", List.of(step("a", "text")));
    assertPointer(
        "/params/steps/0/params", List.of(step("a", Map.of("x", Map.of("$ref", "/a/own")))));
    assertPointer(
        "/params/steps/0/params", List.of(step("a", List.of(Map.of("$ref", "a")).get(0))));
    assertPointer("/params/steps/0/else", List.of(Map.of("id", "a", "syscall", "x.y", "else", 1)));
    assertPointer(
        "/params/steps/0/budget/usd_max",
        List.of(Map.of("id", "a", "syscall", "x.y", "budget", Map.of("usd_max", -1))));
  }

  private static void assertPointer(String pointer, Object steps) {
    InvalidDocument invalid = catchThrowableOfType(InvalidDocument.class, () -> read(steps));
    assertThat(invalid).as(pointer).isNotNull();
    assertThat(invalid.pointer()).startsWith(pointer);
  }
}
