package org.aionos.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import net.jqwik.api.Example;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.osgi.service.metatype.AttributeDefinition;
import org.osgi.service.metatype.ObjectClassDefinition;

final class SectionTest {

  /** A setting as a bundle declares it. */
  private record Attribute(String getID, int getType, int getCardinality, long min, long max)
      implements AttributeDefinition {

    @Override
    public String getName() {
      return getID;
    }

    @Override
    public String getDescription() {
      return "";
    }

    @Override
    public String[] getOptionValues() {
      return null;
    }

    @Override
    public String[] getOptionLabels() {
      return null;
    }

    @Override
    public String validate(String value) {
      if (getType != INTEGER && getType != LONG) {
        return null;
      }
      long number = Long.parseLong(value);
      return number < min || number > max ? "from " + min + " to " + max : "";
    }

    @Override
    public String[] getDefaultValue() {
      return new String[] {"7"};
    }
  }

  private record Declared(AttributeDefinition... attributes) implements ObjectClassDefinition {

    @Override
    public AttributeDefinition[] getAttributeDefinitions(int filter) {
      return attributes;
    }

    @Override
    public String getName() {
      return "";
    }

    @Override
    public String getID() {
      return "";
    }

    @Override
    public String getDescription() {
      return "";
    }

    @Override
    public java.io.InputStream getIcon(int size) {
      return null;
    }
  }

  private final Section section =
      new Section(
          "gateway",
          "org.aionos.gateway",
          new Declared(
              new Attribute("port", AttributeDefinition.INTEGER, 0, 1, 65_535),
              new Attribute("bodyBytesMax", AttributeDefinition.LONG, 0, 1, 100),
              new Attribute("sampleTenant", AttributeDefinition.BOOLEAN, 0, 0, 0),
              new Attribute("algorithms", AttributeDefinition.STRING, 9, 0, 0)));

  private Map<String, Object> read(String yaml, Map<String, String> environment)
      throws InvalidDocument {
    Fields fields = Documents.yaml("gateway: " + yaml).object("gateway");
    return section.read(fields, new Environment(environment).of("gateway", section.keys()));
  }

  @Example
  void snake_case_in_the_file_is_camel_case_in_the_code() throws Exception {
    assertThat(read("{ port: 8010, body_bytes_max: 50, sample_tenant: true }", Map.of()))
        .isEqualTo(Map.of("port", 8010, "bodyBytesMax", 50L, "sampleTenant", true));
    assertThat((String[]) read("{ algorithms: [RS256, ES256] }", Map.of()).get("algorithms"))
        .containsExactly("RS256", "ES256");
  }

  @Example
  void the_environment_wins_over_the_file_by_either_name() throws Exception {
    assertThat(read("{ port: 8010 }", Map.of("AION_KERNEL_PORT", "9000")))
        .isEqualTo(Map.of("port", 9000));
    assertThat(read("{ body_bytes_max: 5 }", Map.of("AION_GATEWAY_BODY_BYTES_MAX", "6")))
        .isEqualTo(Map.of("bodyBytesMax", 6L));
  }

  @Example
  void what_is_wrong_is_named_by_its_pointer() {
    Map<String, String> faults =
        Map.of(
            "{ port: 70000 }", "/gateway/port: 70000 is out of bounds",
            "{ port: many }", "/gateway/port: must be a whole number",
            "{ sample_tenant: yes please }", "/gateway/sample_tenant: must be true or false",
            "{ prot: 1 }", "/gateway/prot: unknown field");
    faults.forEach(
        (yaml, fault) ->
            assertThatThrownBy(() -> read(yaml, Map.of()))
                .isInstanceOfSatisfying(
                    InvalidDocument.class,
                    invalid -> assertThat(invalid.describe()).startsWith(fault)));
  }

  @Example
  void the_sample_tenant_keeps_the_kernel_on_loopback() throws Exception {
    Fields root = Documents.yaml("gateway: {}");
    Map<String, Map<String, Object>> open =
        Map.of("identity", Map.of("sample_tenant", "true"), "gateway", Map.of("host", "0.0.0.0"));

    assertThatThrownBy(() -> LoopbackRule.check(root, open))
        .isInstanceOfSatisfying(
            InvalidDocument.class,
            invalid -> assertThat(invalid.pointer()).isEqualTo("/gateway/host"));
    LoopbackRule.check(
        root,
        Map.of("identity", Map.of("sample_tenant", "false"), "gateway", Map.of("host", "0.0.0.0")));
    LoopbackRule.check(
        root,
        Map.of(
            "identity", Map.of("sample_tenant", "true"), "gateway", Map.of("host", "127.0.0.1")));
  }
}
