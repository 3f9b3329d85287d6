package org.aionos.process;

import static org.aionos.process.Tables.AGENT;
import static org.aionos.process.Tables.refusal;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.aionos.kernel.Code;
import org.aionos.kernel.ProcessTable.Registration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class RegistrationCheckTest {

  private static final String YAML =
      """
      apiVersion: aion.os/v1
      kind: Agent
      metadata: { name: researcher, version: "1.0.0" }
      spec:
        capabilities: { network: true, gpu: true, subprocess: false }
        syscalls: [tool.invoke, memory.*]
      """;

  private static final Map<String, Object> OBJECT =
      Map.of(
          "apiVersion",
          "aion.os/v1",
          "kind",
          "Agent",
          "metadata",
          Map.of("name", "researcher", "version", "1.0.0"),
          "spec",
          Map.of(
              "capabilities", Map.of("network", true, "gpu", true, "subprocess", false),
              "syscalls", List.of("tool.invoke", "memory.*")));

  @Test
  void a_manifest_says_what_is_declared() {
    Declaration declaration = check(null, YAML);

    assertThat(declaration.declared().capabilities()).containsOnly("network", "gpu");
    assertThat(declaration.declared().syscalls()).containsOnly("tool.invoke", "memory.*");
    assertThat(declaration.manifest()).containsKeys("apiVersion", "kind", "metadata", "spec");
  }

  @Test
  void yaml_and_json_and_an_object_are_one_registration() {
    String json =
        """
        {"kind":"Agent","apiVersion":"aion.os/v1",
         "metadata":{"version":"1.0.0","name":"researcher"},
         "spec":{"syscalls":["tool.invoke","memory.*"],
                 "capabilities":{"subprocess":false,"gpu":true,"network":true}}}""";

    assertThat(check(null, json).digest())
        .matches("[0-9a-f]{64}")
        .isEqualTo(check(null, YAML).digest())
        .isEqualTo(check(null, OBJECT).digest());
  }

  @Test
  void the_request_narrows_the_manifest_and_never_widens_it() {
    Declaration declaration = check(Set.of("network", "filesystem"), YAML);

    assertThat(declaration.declared().capabilities()).containsOnly("network");
  }

  @Test
  void without_a_manifest_the_request_counts_and_syscalls_are_the_usual() {
    Declaration declaration = check(Set.of("network"), null);

    assertThat(declaration.declared().capabilities()).containsOnly("network");
    assertThat(declaration.declared().syscalls()).containsOnly("tool.*", "agent.*");
    assertThat(check(null, null).declared().capabilities()).isEmpty();
  }

  @Test
  void another_agents_registration_has_another_digest() {
    Declaration one = check(null, YAML);
    Declaration other =
        Declaration.of(
            new org.aionos.kernel.AgentId("tenantB", "researcher-1"),
            one.name(),
            one.version(),
            one.declared(),
            one.limits(),
            one.manifest());

    assertThat(other.digest()).isNotEqualTo(one.digest());
  }

  static Stream<Arguments> wrong() {
    return Stream.of(
        wrong("/name", Code.MISSING_FIELD, with(" ", "1.0.0", null, null)),
        wrong("/name", Code.INVALID_FIELD, with("n".repeat(257), "1.0.0", null, null)),
        wrong("/version", Code.MISSING_FIELD, with("n", "", null, null)),
        wrong("/version", Code.INVALID_FIELD, with("n", "2.0.0", null, YAML)),
        wrong("/capabilities/0", Code.INVALID_FIELD, with("n", "1.0.0", Set.of("Root!"), null)),
        wrong("/capabilities/1", Code.INVALID_FIELD, with("n", "1.0.0", ordered(), null)),
        wrong("/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, "- a list")),
        wrong("/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, "a: [unclosed")),
        wrong("/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, "a: 1\na: 2")),
        wrong("/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, "")),
        wrong("/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, 7)),
        wrong("/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, Map.of("a", deep(40)))),
        wrong(
            "/manifest", Code.INVALID_FIELD, with("n", "1.0.0", null, "a: " + "x".repeat(70_000))),
        wrong("/manifest/kind", Code.MISSING_FIELD, with("n", "1.0.0", null, without("kind"))),
        wrong(
            "/manifest/spec/capabilities/network",
            Code.INVALID_FIELD,
            with("n", "1.0.0", null, YAML.replace("network: true", "network: 1"))),
        wrong(
            "/manifest/metadata/version",
            Code.MISSING_FIELD,
            with("n", "1.0.0", null, YAML.replace(", version: \"1.0.0\"", ""))),
        wrong(
            "/limits",
            Code.INVALID_FIELD,
            new Registration(AGENT, "n", "1.0.0", null, Map.of("a", deep(40)), null)));
  }

  @ParameterizedTest
  @MethodSource("wrong")
  void a_wrong_field_is_named(String pointer, Code code, Registration registration) {
    var problem = refusal(() -> RegistrationCheck.check(registration));

    assertThat(problem.pointer()).isEqualTo(pointer);
    assertThat(problem.code()).isEqualTo(code);
  }

  @Test
  void the_deepest_declaration_admitted_can_be_read_back() throws Exception {
    Registration deepest = new Registration(AGENT, "n", "1.0.0", null, Map.of("a", deep(31)), null);

    Row row =
        Row.registered(
            AGENT, 0, RegistrationCheck.check(deepest), java.time.Instant.ofEpochSecond(1));
    Row waiting =
        row.with(new Row.Waiting(RegistrationCheck.check(deepest), List.of("capability x"), "me"));

    assertThat(Row.read(waiting.bytes())).isEqualTo(waiting);
  }

  private static Declaration check(Set<String> capabilities, Object manifest) {
    return RegistrationCheck.check(with("researcher", "1.0.0", capabilities, manifest));
  }

  private static Arguments wrong(String pointer, Code code, Registration registration) {
    return Arguments.of(pointer, code, registration);
  }

  private static Registration with(
      String name, String version, Set<String> capabilities, Object manifest) {
    return new Registration(AGENT, name, version, capabilities, Map.of(), manifest);
  }

  private static Set<String> ordered() {
    return new LinkedHashSet<>(List.of("network", "not a name"));
  }

  private static Map<String, Object> without(String key) {
    Map<String, Object> rest = new java.util.HashMap<>(OBJECT);
    rest.remove(key);
    return rest;
  }

  private static Object deep(int levels) {
    Object value = "bottom";
    for (int i = 0; i < levels; i++) {
      value = List.of(value);
    }
    return value;
  }
}
