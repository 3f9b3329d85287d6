package org.aionos.document;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.aionos.document.InvalidDocument.Fault;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class FieldsTest {

  private static final Fields FIELDS = fields();

  private static Fields fields() {
    try {
      return Documents.json(
          """
          {"text":"word","flag":true,"int":7,"long":5000000000,"real":1.5,"none":null,
           "huge":99999999999999999999,"list":["a","b","a"],"mixed":["a",1,null],
           "object":{"inner":{"leaf":1}},"objects":[{"a":1},{"a":2}],"wrong":[{"a":1},7],
           "named":{"x":{"a":1},"y":null,"z":3},
           "a/b":{"~c":{"":"end"}},"":{"x":1}}"""
              .getBytes(UTF_8));
    } catch (InvalidDocument impossible) {
      throw new AssertionError(impossible);
    }
  }

  @Test
  void gives_what_is_there() throws Exception {
    assertThat(FIELDS.text("text")).isEqualTo("word");
    assertThat(FIELDS.text("text", "other")).isEqualTo("word");
    assertThat(FIELDS.textOrNull("text", 4)).isEqualTo("word");
    assertThat(FIELDS.flag("flag", false)).isTrue();
    assertThat(FIELDS.wholeNumber("int", 0, 7, 7)).isEqualTo(7);
    assertThat(FIELDS.wholeNumberOrNull("long", 0, Long.MAX_VALUE)).isEqualTo(5_000_000_000L);
    assertThat(FIELDS.numberOrNull("real", 1, 2)).isEqualTo(new BigDecimal("1.5"));
    assertThat(FIELDS.numberOrNull("int", 7, 7)).isEqualTo(new BigDecimal("7"));
    assertThat(FIELDS.texts("list", 3)).containsExactly("a", "b");
    assertThat(FIELDS.object("object").object("inner").values()).isEqualTo(Map.of("leaf", 1));
    assertThat(FIELDS.list("objects")).extracting(each -> each.value("a")).containsExactly(1, 2);
    assertThat(FIELDS.has("text")).isTrue();
  }

  @Test
  void what_is_null_is_absent() throws Exception {
    for (String name : List.of("none", "nothing")) {
      assertThat(FIELDS.has(name)).isFalse();
      assertThat(FIELDS.textOrNull(name)).isNull();
      assertThat(FIELDS.textOrNull(name, 1)).isNull();
      assertThat(FIELDS.text(name, "absent")).isEqualTo("absent");
      assertThat(FIELDS.flag(name, true)).isTrue();
      assertThat(FIELDS.wholeNumberOrNull(name, 1, 2)).isNull();
      assertThat(FIELDS.wholeNumber(name, 9, 1, 2)).isEqualTo(9);
      assertThat(FIELDS.numberOrNull(name, 1, 2)).isNull();
      assertThat(FIELDS.textsOrNull(name, 1)).isNull();
      assertThat(FIELDS.texts(name, 1)).isEmpty();
      assertThat(FIELDS.list(name)).isEmpty();
      assertThat(FIELDS.objectOrEmpty(name).names()).isEmpty();
      assertThat(FIELDS.objectOrEmpty(name).pointer()).isEqualTo("/" + name);
      assertThat(FIELDS.objects(name)).isEmpty();
      assertThat(invalid(() -> FIELDS.text(name)).fault()).isEqualTo(Fault.MISSING);
      assertThat(invalid(() -> FIELDS.object(name)).fault()).isEqualTo(Fault.MISSING);
    }
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        wrong("/int", () -> FIELDS.text("int")),
        wrong("/text", () -> FIELDS.textOrNull("text", 3)),
        wrong("/text", () -> FIELDS.flag("text", true)),
        wrong("/text", () -> FIELDS.wholeNumberOrNull("text", 0, 9)),
        wrong("/real", () -> FIELDS.wholeNumberOrNull("real", 0, 9)),
        wrong("/huge", () -> FIELDS.wholeNumberOrNull("huge", 0, Long.MAX_VALUE)),
        wrong("/int", () -> FIELDS.wholeNumberOrNull("int", 8, 9)),
        wrong("/int", () -> FIELDS.wholeNumberOrNull("int", 0, 6)),
        wrong("/huge", () -> FIELDS.numberOrNull("huge", 0, Long.MAX_VALUE)),
        wrong("/real", () -> FIELDS.numberOrNull("real", 2, 3)),
        wrong("/flag", () -> FIELDS.numberOrNull("flag", 0, 1)),
        wrong("/text", () -> FIELDS.texts("text", 9)),
        wrong("/list", () -> FIELDS.texts("list", 2)),
        wrong("/mixed/1", () -> FIELDS.texts("mixed", 9)),
        wrong("/text", () -> FIELDS.object("text")),
        wrong("/list", () -> FIELDS.objectOrEmpty("list")),
        wrong("/object/inner/leaf", () -> FIELDS.object("object").object("inner").text("leaf")),
        wrong("/wrong/1", () -> FIELDS.list("wrong")),
        wrong("/objects/1/a", () -> FIELDS.list("objects").get(1).text("a")),
        wrong("/named/z", () -> FIELDS.objects("named")),
        wrong("/object/inner/leaf", () -> FIELDS.object("object").object("inner").only("x")),
        wrong("/a~1b/~0c/", () -> FIELDS.object("a/b").object("~c").flag("", false)),
        wrong("/a~1b/~0c", () -> FIELDS.object("a/b").text("~c")),
        wrong("//x", () -> FIELDS.object("").text("x")));
  }

  private static Arguments wrong(String pointer, ThrowingCallable reading) {
    return Arguments.of(pointer, reading);
  }

  @ParameterizedTest(name = "{0} [{index}]")
  @MethodSource("wrong")
  void a_wrong_field_is_named(String pointer, ThrowingCallable reading) {
    InvalidDocument invalid = invalid(reading);

    assertThat(invalid.fault()).isEqualTo(Fault.INVALID);
    assertThat(invalid.pointer()).isEqualTo(pointer);
    assertThat(invalid.describe()).isEqualTo(pointer + ": " + invalid.why());
  }

  @Test
  void an_unknown_field_is_told_what_is_known() {
    InvalidDocument invalid = invalid(() -> FIELDS.object("object").only("outer", "Inner"));

    assertThat(invalid.pointer()).isEqualTo("/object/inner");
    assertThat(invalid.why()).isEqualTo("unknown field; known here: Inner, outer");
  }

  @Test
  void a_number_that_is_none_is_refused() throws Exception {
    Fields fields = Fields.of(Map.of("a", Double.NaN, "b", Double.POSITIVE_INFINITY), "/x");

    assertThat(invalid(() -> fields.numberOrNull("a", 0, 1)).pointer()).isEqualTo("/x/a");
    assertThat(invalid(() -> fields.numberOrNull("b", 0, 1)).pointer()).isEqualTo("/x/b");
  }

  private static InvalidDocument invalid(ThrowingCallable reading) {
    InvalidDocument invalid = catchThrowableOfType(InvalidDocument.class, reading);
    assertThat(invalid).as("must be refused").isNotNull();
    return invalid;
  }
}
