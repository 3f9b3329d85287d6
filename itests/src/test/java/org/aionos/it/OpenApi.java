package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.yaml.snakeyaml.Yaml;

/** Checks answers against the kernel's own openapi.yaml. */
final class OpenApi {

  private static final Path FILE =
      RunningKernel.ROOT.resolve("bundles/gateway/src/main/resources/openapi.yaml");
  private static final JsonNode DOCUMENT = load();
  private static final JsonSchemaFactory FACTORY =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
  private static final Map<String, JsonSchema> SCHEMAS = new ConcurrentHashMap<>();

  /** Operation and status of everything that was checked. */
  static final Set<String> SEEN = ConcurrentHashMap.newKeySet();

  private OpenApi() {}

  private static JsonNode load() {
    Object yaml = new Yaml().load(new java.io.ByteArrayInputStream(RunningKernel.readBytes(FILE)));
    return RunningKernel.JSON.valueToTree(yaml);
  }

  static void check(String method, String target, Answer answer) {
    JsonNode operation = operation(method, target);
    if (operation == null) {
      // Not listed, so it can only be refused; and every refusal has the one shape.
      assertThat(answer.status()).as(method + " " + target).isBetween(400, 499);
      validate("#/components/schemas/Error", answer);
      return;
    }
    JsonNode response = operation.at("/responses/" + answer.status());
    assertThat(response.isMissingNode())
        .as("openapi.yaml does not list %s of %s %s: %s", answer.status(), method, target, answer)
        .isFalse();
    String at = response.path("$ref").asText();
    JsonNode resolved = DOCUMENT.at(at.substring(1));
    String type = answer.headers().firstValue("content-type").orElse("").split(";")[0];
    assertThat(resolved.path("content").has(type))
        .as("%s %s answers %s with the type '%s'", method, target, answer.status(), type)
        .isTrue();
    resolved
        .path("headers")
        .fieldNames()
        .forEachRemaining(
            name -> {
              // Only some of the codes that share a response advise a delay.
              if (!name.equals("Retry-After")) {
                assertThat(answer.headers().firstValue(name)).as(name).isPresent();
              }
            });
    if (type.equals("application/json")) {
      validate(at + "/content/application~1json/schema", answer);
    }
    SEEN.add(operation.path("operationId").asText() + " " + answer.status());
  }

  private static void validate(String at, Answer answer) {
    Set<ValidationMessage> faults = schema(at).validate(answer.json());
    assertThat(faults).as("%s by openapi.yaml%s", answer, at).isEmpty();
    if (answer.status() >= 400 && answer.json().has("error")) {
      boolean delays = answer.at("/error/retry").equals("after_delay");
      if (delays && answer.json().at("/error").has("retry_after_ms")) {
        assertThat(answer.headers().firstValue("retry-after")).as(answer.text()).isPresent();
      }
    }
  }

  private static JsonSchema schema(String at) {
    return SCHEMAS.computeIfAbsent(
        at,
        reference -> {
          ObjectNode root = RunningKernel.JSON.createObjectNode();
          root.put("$schema", "https://json-schema.org/draft/2020-12/schema");
          root.set("components", DOCUMENT.get("components"));
          root.put("$ref", reference);
          return FACTORY.getSchema(root);
        });
  }

  private static JsonNode operation(String method, String target) {
    String[] path = target.split("\\?", 2)[0].split("/", -1);
    for (Iterator<String> all = DOCUMENT.get("paths").fieldNames(); all.hasNext(); ) {
      String template = all.next();
      if (matches(template.split("/", -1), path)) {
        JsonNode operation =
            DOCUMENT.get("paths").get(template).get(method.toLowerCase(java.util.Locale.ROOT));
        if (operation != null) {
          return operation;
        }
      }
    }
    return null;
  }

  private static boolean matches(String[] template, String[] path) {
    if (template.length != path.length) {
      return false;
    }
    for (int i = 0; i < path.length; i++) {
      if (!template[i].startsWith("{") && !template[i].equals(path[i])) {
        return false;
      }
    }
    return true;
  }
}
