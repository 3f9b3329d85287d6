package org.aionos.document;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.aionos.document.InvalidDocument.Fault;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class DocumentsTest {

  // JSON

  @Test
  void reads_plain_values() throws Exception {
    Fields fields =
        json(
            """
            {"text":"متن 🔬","yes":true,"none":null,"int":1,"long":5000000000,
             "huge":123456789012345678901234567890,"real":-1.5e-3,"list":[1,[]],"map":{"":{}}}""");

    assertThat(fields.values())
        .containsEntry("text", "متن 🔬")
        .containsEntry("yes", true)
        .containsEntry("none", null)
        .containsEntry("int", 1)
        .containsEntry("long", 5_000_000_000L)
        .containsEntry("huge", new BigInteger("123456789012345678901234567890"))
        .containsEntry("real", -0.0015)
        .containsEntry("list", List.of(1, List.of()))
        .containsEntry("map", Map.of("", Map.of()));
  }

  @ParameterizedTest
  @CsvSource({
    "C0AF, overlong slash",
    "E080AF, overlong slash in three",
    "F08080AF, overlong slash in four",
    "EDA080, high surrogate",
    "EDBFBF, low surrogate",
    "EDA081EDB080, a surrogate pair as two",
    "C3, truncated two",
    "E282, truncated three",
    "F09F98, truncated four",
    "80, continuation alone",
    "FF, never a byte",
    "F4908080, beyond Unicode",
  })
  void bytes_that_are_not_utf8_are_refused(String hex, String why) {
    byte[] bytes = ("{\"a\":\"*\"}").getBytes(ISO_8859_1);
    byte[] bad = HexFormat.of().parseHex(hex);
    byte[] body = new byte[bytes.length - 1 + bad.length];
    System.arraycopy(bytes, 0, body, 0, 6);
    System.arraycopy(bad, 0, body, 6, bad.length);
    System.arraycopy(bytes, 7, body, 6 + bad.length, bytes.length - 7);

    assertThat(invalidJson(body).fault()).as(why).isEqualTo(Fault.NOT_UTF8);
    assertThat(invalidYaml(body).fault()).as(why).isEqualTo(Fault.NOT_UTF8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"a\":1,\"a\":1}",
        "{\"x\":[{\"a\":1,\"b\":2,\"a\":3}]}",
        "{\"a\":1,\"\\u0061\":1}",
      })
  void a_duplicate_key_is_refused(String text) {
    InvalidDocument invalid = invalidJson(text);

    assertThat(invalid.fault()).isEqualTo(Fault.DUPLICATE_KEY);
    assertThat(invalid.why()).contains("a");
  }

  @Test
  void nests_64_levels_and_no_more() throws Exception {
    assertThat(json("{\"a\":" + "[".repeat(63) + "]".repeat(63) + "}").has("a")).isTrue();
    assertThat(json("{\"a\":".repeat(64) + "1" + "}".repeat(64)).has("a")).isTrue();
    assertThat(yaml("{\"a\":" + "[".repeat(63) + "]".repeat(63) + "}").has("a")).isTrue();

    for (String deep :
        List.of(
            "{\"a\":" + "[".repeat(64) + "]".repeat(64) + "}",
            "{\"a\":".repeat(65) + "1" + "}".repeat(65),
            "{\"a\":" + "[".repeat(100_000))) {
      assertThat(invalidJson(deep).fault()).isEqualTo(Fault.TOO_DEEP);
      assertThat(invalidYaml(deep).fault()).isEqualTo(Fault.TOO_DEEP);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "{",
        "{}}",
        "{} {}",
        "{} x",
        "{}1",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":1}//",
        "\uFEFF{}",
      })
  void what_is_not_json_is_refused(String text) {
    InvalidDocument invalid = invalidJson(text);

    assertThat(invalid.fault()).isEqualTo(Fault.MALFORMED);
    assertThat(invalid.pointer()).isEmpty();
    assertThat(invalid.why()).isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "[{}]", "1", "\"a\"", "true", "null"})
  void only_an_object_is_a_document(String text) {
    assertThat(invalidJson(text).fault()).isEqualTo(Fault.INVALID);
    assertThat(invalidJson(text).why()).startsWith("must be an object");
    assertThat(invalidYaml(text).why()).startsWith("must be an object");
  }

  @Test
  void a_number_has_at_most_100_digits() throws Exception {
    assertThat(json("{\"a\":" + "9".repeat(100) + "}").value("a")).isInstanceOf(BigInteger.class);
    assertThat(yaml("a: " + "9".repeat(100)).value("a")).isInstanceOf(BigInteger.class);

    assertThat(invalidJson("{\"a\":" + "9".repeat(101) + "}").fault()).isEqualTo(Fault.MALFORMED);
    assertThat(invalidYaml("a: " + "9".repeat(101)).fault()).isEqualTo(Fault.MALFORMED);
    // What is longer than any number is text.
    assertThat(yaml("a: " + "9".repeat(1_000_000)).text("a")).hasSize(1_000_000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e400", "-1e400", "1e999999999"})
  void a_number_that_overflows_is_refused(String number) {
    InvalidDocument invalid = invalidJson("{\"a\":{\"b/c\":[0," + number + "]}}");

    assertThat(invalid.fault()).isEqualTo(Fault.INVALID);
    assertThat(invalid.pointer()).isEqualTo("/a/b~1c/1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud800", "\\udc00", "\\ud800x", "x\\uD83D", "\\udc00\\ud800"})
  void half_a_surrogate_pair_is_refused(String escaped) {
    assertThat(invalidJson("{\"a\":[\"" + escaped + "\"]}").pointer()).isEqualTo("/a/0");
    assertThat(invalidJson("{\"a\":{\"" + escaped + "\":1}}").pointer()).isEqualTo("/a");
    assertThat(invalidYaml("a: [\"" + escaped + "\"]").fault())
        .isIn(Fault.INVALID, Fault.MALFORMED);
    String twice = "\"" + escaped + "\":1";
    InvalidDocument duplicate = invalidJson("{" + twice + "," + twice + "}");
    assertThat(new String(Documents.write(Map.of("why", duplicate.why())), UTF_8)).isNotEmpty();
  }

  @Test
  void a_whole_surrogate_pair_is_text() throws Exception {
    assertThat(json("{\"a\":\"\\ud83d\\udd2c\"}").text("a")).isEqualTo("🔬");
  }

  @Test
  void long_names_are_refused() {
    assertThat(invalidJson("{\"" + "n".repeat(100_000) + "\":1}").fault())
        .isEqualTo(Fault.MALFORMED);
  }

  // YAML

  @Test
  void reads_plain_values_of_yaml() throws Exception {
    Fields fields =
        yaml(
            """
            text: متن 🔬
            quoted: "1"
            yes: true
            none: ~
            int: 1
            real: 1.5
            list: [1, a]
            map: {a: {b: c}}
            1: numbered
            base: &base {x: 1}
            merged: {<<: *base, y: 2}
            """);

    assertThat(fields.values())
        .containsEntry("text", "متن 🔬")
        .containsEntry("quoted", "1")
        .containsEntry("true", true)
        .containsEntry("none", null)
        .containsEntry("int", 1)
        .containsEntry("real", 1.5)
        .containsEntry("list", List.of(1, "a"))
        .containsEntry("map", Map.of("a", Map.of("b", "c")))
        .containsEntry("1", "numbered")
        .containsEntry("merged", Map.of("x", 1, "y", 2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31 10:00:00.1 +3:30"})
  void a_date_is_the_text_that_it_is(String date) throws Exception {
    assertThat(yaml("a: " + date).text("a")).isEqualTo(date);
    assertThat(yaml(date + ": a").names()).containsExactly(date);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a: 1\na: 2", "x: {a: 1, a: 2}", "1: a\n\"1\": b", "{a: 1, \"a\": 2}"})
  void a_duplicate_key_of_yaml_is_refused(String text) {
    assertThat(invalidYaml(text).fault()).isEqualTo(Fault.DUPLICATE_KEY);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "a: !!javax.script.ScriptEngineManager [!!java.net.URLClassLoader [[]]]",
        "!!javax.script.ScriptEngineManager {}",
        "!!javax.script.ScriptEngineManager a: b",
        "a: !!java.lang.String b",
        "a: !local b",
        "a: !!binary aGVsbG8=",
        "a: !!timestamp 2026-01-31",
        "a: !!set {b, c}",
        "a: !!omap [b: 1]",
        "a: !!int ''",
        "a: !!float _",
        "a: !!int x",
        "? [1, 2]\n: a",
        "? {b: c}\n: a",
        "a: &a [*a]",
        "&a {b: *a}",
        "a: *unknown",
        "a: [unclosed",
        "\tx: 1",
        "a: b: c",
        "a: 1\n---\nb: 2",
        "%YAML 9.9\n--- {}",
        "a: \u0001",
      })
  void what_is_not_plain_yaml_is_refused(String text) {
    InvalidDocument invalid = invalidYaml(text);

    assertThat(invalid.fault()).isIn(Fault.MALFORMED, Fault.TOO_DEEP);
    assertThat(invalid.why()).isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(strings = {".inf", "-.inf", ".nan", "1e400", "1.0e+400"})
  void only_finite_numbers_are_plain(String number) {
    assertThat(invalidYaml("a: " + number).pointer()).isEqualTo("/a");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 9})
  void an_alias_bomb_is_defused(int aliases) {
    StringBuilder bomb = new StringBuilder("l0: &l0 [x, x]\n");
    for (int level = 1; level <= 48 / aliases; level++) {
      String alias = "*l" + (level - 1);
      bomb.append("l" + level + ": &l" + level + " [" + alias);
      bomb.append((", " + alias).repeat(aliases - 1)).append("]\n");
    }
    String last = "*l" + 48 / aliases;

    assertQuick(() -> parse(bomb.toString()));
    assertQuick(() -> parse(bomb + "? " + last + "\n: 1\n"));
    assertQuick(() -> parse(bomb + "k: {<<: " + last + "}\n"));
    if (aliases < 9) {
      assertThat(invalidYaml(bomb.toString()).fault()).isEqualTo(Fault.MALFORMED);
    }
  }

  @Test
  void a_huge_document_is_refused_quickly() {
    assertQuick(() -> invalidYaml("a: " + "x".repeat(2 << 20)));
    assertQuick(() -> parse("a: " + "1:".repeat(500_000) + "1"));
    assertQuick(() -> invalidYaml("- ".repeat(500_000)));
    assertQuick(() -> invalidYaml("x".repeat(1_000) + ": &a [" + "1,".repeat(200_000) + "]"));
  }

  @Test
  void a_byte_order_mark_before_yaml_is_passed_over() throws Exception {
    assertThat(yaml("\uFEFFa: 1").names()).containsExactly("a");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " ", "# nothing", "---"})
  void nothing_is_no_document(String text) {
    assertThat(invalidYaml(text).why()).isEqualTo("must be an object, not null");
  }

  // Properties

  @Property(tries = 500)
  void what_jackson_writes_reads_back_equal(@ForAll("objects") Map<String, Object> object)
      throws Exception {
    byte[] bytes = new ObjectMapper().writeValueAsBytes(object);

    assertThat(Documents.json(bytes).values()).isEqualTo(object);
    assertThat(Documents.json(Documents.write(object)).values()).isEqualTo(object);
  }

  @Property(tries = 500)
  void what_is_read_can_be_written(@ForAll long seed) throws Exception {
    byte[] mutated = mutatedDocument(new Random(seed));
    try {
      Map<String, Object> read = Documents.json(mutated).values();
      assertThat(Documents.json(Documents.write(read)).values()).isEqualTo(read);
    } catch (InvalidDocument invalid) {
      assertThat(Documents.write(Map.of("at", invalid.pointer(), "why", invalid.why())))
          .isNotEmpty();
    }
  }

  @Property(tries = 1_000)
  void any_bytes_are_read_or_refused(@ForAll byte[] bytes) {
    parseJson(bytes);
    parseYaml(bytes);
  }

  @Property(tries = 2_000)
  void any_damaged_document_is_read_or_refused(@ForAll long seed) {
    byte[] bytes = mutatedDocument(new Random(seed));

    parseJson(bytes);
    parseYaml(bytes);
  }

  @Property(tries = 2_000)
  void any_signs_of_yaml_are_read_or_refused(@ForAll("signs") List<String> signs) {
    parseYaml(String.join("", signs).getBytes(UTF_8));
  }

  @Provide
  Arbitrary<List<String>> signs() {
    return Arbitraries.of(
            "a",
            "1",
            ": ",
            "- ",
            "? ",
            "\n",
            "\n  ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&a ",
            "*a",
            "!!int ",
            "!!float ",
            "!!bool ",
            "!!null ",
            "!!str ",
            "!!seq ",
            "!!map ",
            "!!merge ",
            "<<: ",
            "'",
            "\"",
            "|",
            ">",
            "#",
            "%",
            "---",
            "...",
            "~",
            ".5",
            "0x",
            "0b",
            "-",
            "_",
            "\\ud800",
            "\t",
            "1:1",
            "é",
            "🔬",
            "\uFEFF",
            "\u0000",
            "\u2028")
        .list()
        .ofMaxSize(12);
  }

  @Provide
  Arbitrary<Map<String, Object>> objects() {
    return Arbitraries.randomValue(random -> randomObject(random, 4));
  }

  private static Map<String, Object> randomObject(Random random, int depth) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = random.nextInt(5); i > 0; i--) {
      object.put(randomText(random), randomValue(random, depth));
    }
    return object;
  }

  private static Object randomValue(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 9 : 7)) {
      case 0 -> randomText(random);
      case 1 -> random.nextInt();
      case 2 -> Integer.MAX_VALUE + 1L + random.nextInt(Integer.MAX_VALUE);
      case 3 -> BigInteger.ONE.shiftLeft(63 + random.nextInt(200));
      case 4 -> random.nextDouble() * Math.pow(10, random.nextInt(600) - 300);
      case 5 -> random.nextBoolean();
      case 6 -> null;
      case 7 -> randomObject(random, depth - 1);
      default -> Arrays.asList(randomValue(random, depth - 1), randomValue(random, depth - 1));
    };
  }

  private static String randomText(Random random) {
    int[] points =
        random
            .ints(random.nextInt(8), 0, Character.MAX_CODE_POINT + 1)
            .map(point -> random.nextBoolean() ? point % 128 : point)
            .filter(point -> point < 0xD800 || point > 0xDFFF)
            .toArray();
    return new String(points, 0, points.length);
  }

  private static byte[] mutatedDocument(Random random) {
    String document =
        """
        {"apiVersion": "aion.os/v1", "a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\udd2c"],
         "b": {"c": {}, "d": [[], [{}]]}, "text": "متن"}""";
    byte[] bytes = document.getBytes(UTF_8);
    for (int i = random.nextInt(4); i >= 0; i--) {
      byte any = (byte) "{}[]\",:\\u0d8cf-*&!?|>%@~\n\t\0\377".charAt(random.nextInt(28));
      bytes[random.nextInt(bytes.length)] = random.nextBoolean() ? any : (byte) random.nextInt();
    }
    return Arrays.copyOf(bytes, bytes.length - (random.nextBoolean() ? 0 : random.nextInt(9)));
  }

  // What each test needs

  private static Fields json(String text) throws InvalidDocument {
    return Documents.json(text.getBytes(UTF_8));
  }

  private static Fields yaml(String text) throws InvalidDocument {
    return Documents.yaml(text.getBytes(UTF_8));
  }

  private static InvalidDocument invalidJson(String text) {
    return invalidJson(text.getBytes(UTF_8));
  }

  private static InvalidDocument invalidJson(byte[] bytes) {
    return refused(catchThrowableOfType(InvalidDocument.class, () -> Documents.json(bytes)));
  }

  private static InvalidDocument invalidYaml(String text) {
    return invalidYaml(text.getBytes(UTF_8));
  }

  private static InvalidDocument invalidYaml(byte[] bytes) {
    return refused(catchThrowableOfType(InvalidDocument.class, () -> Documents.yaml(bytes)));
  }

  private static InvalidDocument refused(InvalidDocument invalid) {
    assertThat(invalid).as("must be refused").isNotNull();
    return invalid;
  }

  private static void parse(String text) {
    parseYaml(text.getBytes(UTF_8));
  }

  private static void parseJson(byte[] bytes) {
    try {
      Documents.json(bytes);
    } catch (InvalidDocument invalid) {
      assertThat(invalid.describe()).isNotBlank();
    }
  }

  private static void parseYaml(byte[] bytes) {
    try {
      Documents.yaml(bytes);
    } catch (InvalidDocument invalid) {
      assertThat(invalid.describe()).isNotBlank();
    }
  }

  private static void assertQuick(Runnable reading) {
    Assertions.assertTimeoutPreemptively(Duration.ofSeconds(10), reading::run);
  }
}
