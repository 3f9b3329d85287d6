package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code ./aion new-tool} begins builds, passes its own test, and runs in a kernel. */
@Order(6)
class NewToolIT {

  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @TempDir private Path folder;

  private Shell run(Path in, String... command) {
    return Shell.run(in, Map.of(), PATIENCE, List.of(command));
  }

  /** A wasm tool takes a C compiler, which tests do without. */
  @ParameterizedTest
  @ValueSource(strings = {"python", "exec", "bundle"})
  void a_new_tool_is_whole(String tier) {
    if (!tier.equals("bundle")) {
      Doctor.assumeProcessTier();
    }
    String name = "new_" + tier;
    String aion = RunningKernel.ROOT.resolve("aion").toString();
    run(folder, aion, "new-tool", name, "--tier", tier).expectSuccess();
    run(folder.resolve(name), "./build").expectSuccess();
    run(folder.resolve(name), "./test").expectSuccess();

    RunningKernel kernel = SharedKernel.get();
    Path jar = folder.resolve(name + "/target/" + name + "-1.0.0.jar");
    kernel.allowAndDrop(RunningKernel.readBytes(jar), name + ".jar");
    kernel.awaitTool(name + "@1.0.0");

    Answer answer = kernel.invoke(name, Map.of("text", "one two three"));
    assertThat(answer.expect(200).json().at("/result/words").asInt()).isEqualTo(3);
    kernel.invoke(name, Map.of("text", " ")).expect(422, "TOOL_FAILED");
    kernel.invoke(name, Map.of("words", 3)).expect(400, "MISSING_FIELD");
  }

  @Test
  void what_cannot_be_begun_leaves_nothing_behind() {
    String aion = RunningKernel.ROOT.resolve("aion").toString();
    for (List<String> wrong :
        List.of(
            List.of("../x"),
            List.of("X"),
            List.of("a", "b"),
            List.of("a", "--tier", "jar"),
            List.of("--nothing"),
            List.<String>of())) {
      List<String> command = new java.util.ArrayList<>(List.of(aion, "new-tool"));
      command.addAll(wrong);

      Shell refused = Shell.run(folder, Map.of(), PATIENCE, command);

      assertThat(refused.exit()).as(wrong + ": " + refused.output()).isNotZero();
      assertThat(refused.output()).contains("new-tool");
    }
    assertThat(folder.resolve("a")).doesNotExist();
    assertThat(Files.exists(folder.getParent().resolve("x"))).isFalse();
  }
}
