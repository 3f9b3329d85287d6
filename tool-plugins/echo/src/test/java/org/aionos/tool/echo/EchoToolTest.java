package org.aionos.tool.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.junit.jupiter.api.Test;

class EchoToolTest {

  private final EchoTool tool = new EchoTool("1.0.0");

  @Test
  void returns_the_text_and_the_version_that_answered() throws Exception {
    Map<String, Object> value =
        tool.invoke(call(Map.of("text", "سلام, agent")), NO_EFFECTS).value();

    assertThat(value).containsOnly(entry("text", "سلام, agent"), entry("version", "1.0.0"));
  }

  @Test
  void returns_other_arguments_as_they_were_sent_null_among_them() throws Exception {
    Map<String, Object> others = new LinkedHashMap<>();
    others.put("list", List.of(1, Map.of("deep", true)));
    others.put("version", "mine");
    others.put("none", null);
    Map<String, Object> arguments = new LinkedHashMap<>(others);
    arguments.put("text", "");

    Map<String, Object> value = tool.invoke(call(arguments), NO_EFFECTS).value();

    assertThat(value)
        .containsOnly(entry("text", ""), entry("version", "1.0.0"), entry("arguments", others));
  }

  @Test
  void refuses_a_text_that_is_absent_or_not_text() {
    for (Map<String, Object> wrong :
        List.<Map<String, Object>>of(Map.of(), Map.of("text", 7), Map.of("text", List.of("a")))) {
      assertThatThrownBy(() -> tool.invoke(call(wrong), NO_EFFECTS))
          .isInstanceOfSatisfying(
              ToolFailure.class,
              failure -> assertThat(failure.code()).isEqualTo(ToolFailure.Code.BAD_ARGUMENT));
    }
  }

  private static ToolCall call(Map<String, Object> arguments) {
    return new ToolCall("sc-1", "echo", arguments, Instant.EPOCH, null);
  }

  /** The tool must not touch the outside world. */
  private static final Effects NO_EFFECTS =
      new Effects() {
        @Override
        public String readText(String path) {
          throw new AssertionError("reads " + path);
        }

        @Override
        public void writeText(String path, String text) {
          throw new AssertionError("writes " + path);
        }

        @Override
        public List<String> list(String path) {
          throw new AssertionError("lists " + path);
        }

        @Override
        public org.aionos.tool.Fetched fetch(org.aionos.tool.Fetch request) {
          throw new AssertionError("not to be used");
        }
      };
}
