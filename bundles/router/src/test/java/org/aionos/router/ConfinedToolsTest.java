package org.aionos.router;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolPackage;
import org.aionos.kernel.ToolTier;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolResult;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

final class ConfinedToolsTest {

  private static final Map<String, Object> WASM = Map.of(ToolTier.TIERS, new String[] {"wasm"});

  @TempDir private Path folder;

  private final ToolTable tools = new ToolTable(Duration.ofSeconds(1), VersionTrialTest.RULES);
  private final ConfinedTools confined =
      new ConfinedTools(Duration.ofSeconds(1), fake(BundleContext.class, Map.of()), tools);

  /** A tier that finds one tool too much for it. */
  private static final class Tier implements ToolTier {

    private final List<String> closed = new ArrayList<>();

    @Override
    public ConfinedTool open(ToolPackage jar) {
      String name = jar.manifest().name();
      if (name.equals("bad")) {
        throw new IllegalStateException("a fault of the tier");
      }
      return new ConfinedTool() {
        @Override
        public ToolResult invoke(ToolCall call, AgentId agent, Effects effects) {
          return ToolResult.of(Map.of("by", agent.name(), "digest", jar.digest()));
        }

        @Override
        public void close() {
          closed.add(name);
        }
      };
    }
  }

  @SuppressWarnings("unchecked")
  private static <T> T fake(Class<T> type, Map<String, Object> answers) {
    return (T)
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> answers.get(method.getName()));
  }

  private Bundle bundle(String name, String tier) throws IOException {
    Path manifest = folder.resolve(name + ".yml");
    Files.writeString(
        manifest,
        """
        apiVersion: aion.os/v1
        kind: Tool
        metadata: { name: %s, version: 1.0.0 }
        spec: { entry: "%s:x" }
        """
            .formatted(name, tier),
        UTF_8);
    return fake(
        Bundle.class,
        Map.of(
            "getLocation",
            "aion:tool/" + name + "/1.0.0/" + name + "-digest",
            "getEntry",
            manifest.toUri().toURL()));
  }

  private Map<String, ?> call(String name) throws Exception {
    try (ToolLease lease = tools.lease(name).orElseThrow()) {
      return lease
          .installed()
          .invoke(
              new ToolCall("sc-1", name, Map.of(), Instant.EPOCH, null),
              new AgentId("tenantA", "researcher-1"),
              null)
          .value();
    }
  }

  @Test
  void a_tool_waits_for_its_tier_and_is_opened_when_it_comes() throws Exception {
    confined.addingBundle(bundle("good", "wasm"), null);
    assertThat(tools.lease("good")).isEmpty();

    confined.bindTier(new Tier(), WASM);

    assertThat(call("good")).isEqualTo(Map.of("by", "researcher-1", "digest", "good-digest"));
  }

  @Test
  void a_tool_that_its_tier_cannot_open_does_not_keep_others_from_being_opened() throws Exception {
    for (String name : List.of("good", "bad", "better")) {
      confined.addingBundle(bundle(name, "wasm"), null);
    }

    confined.bindTier(new Tier(), WASM);

    assertThat(call("good")).isNotEmpty();
    assertThat(call("better")).isNotEmpty();
    assertThat(tools.lease("bad")).isEmpty();
    assertThat(tools.refusal("aion:tool/bad/1.0.0/bad-digest").orElseThrow().message())
        .contains("cannot open it")
        .doesNotContain("a fault of the tier");
  }

  @Test
  void while_a_tier_is_replaced_its_tools_stay_and_are_told_so() throws Exception {
    Tier first = new Tier();
    confined.bindTier(first, WASM);
    confined.addingBundle(bundle("good", "wasm"), null);

    confined.unbindTier(first);

    assertThat(first.closed).containsExactly("good");
    assertThatThrownBy(() -> call("good"))
        .isInstanceOf(Refused.class)
        .hasMessageContaining("RESTARTING");
    confined.bindTier(new Tier(), WASM);
    assertThat(call("good")).isNotEmpty();
  }

  @Test
  void trusted_code_and_other_bundles_are_left_alone() throws Exception {
    assertThat(confined.addingBundle(bundle("java", "bundle"), null)).isNull();
    assertThat(confined.addingBundle(fake(Bundle.class, Map.of()), null)).isNull();
    assertThat(tools.tools()).isEmpty();
  }

  @Test
  void a_removed_bundle_takes_its_tool_along() throws Exception {
    Tier tier = new Tier();
    confined.bindTier(tier, WASM);
    Bundle bundle = bundle("good", "wasm");
    ConfinedTools.Extended tool = confined.addingBundle(bundle, null);

    confined.removedBundle(bundle, null, tool);

    assertThat(tools.lease("good")).isEmpty();
    assertThat(tier.closed).containsExactly("good");
  }
}
