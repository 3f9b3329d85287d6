package org.aionos.tool.echo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What the kernel reads of the jars before, and while, it installs them. */
class JarIT {

  private static final String NAME = System.getProperty("tool.name");

  @ParameterizedTest
  @ValueSource(strings = {"tool.version", "tool.version.next"})
  void says_one_name_and_version_everywhere(String which) throws IOException {
    String version = System.getProperty(which);

    try (JarFile jar = open(version)) {
      Map<String, Object> manifest = toolYml(jar);
      assertThat(manifest).contains(entry("apiVersion", "aion.os/v1"), entry("kind", "Tool"));
      assertThat(object(manifest, "metadata"))
          .contains(entry("name", NAME), entry("version", version));
      assertThat(properties(jar))
          .containsOnly(entry("tool.name", NAME), entry("tool.version", version));
      assertThat(headers(jar).getValue("Bundle-Version")).isEqualTo(version);
      assertThat(headers(jar).getValue("Provide-Capability"))
          .contains("aion.tool;aion.tool=" + NAME + ";version:Version=\"" + version + "\"");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tool.version", "tool.version.next"})
  void needs_no_capability_and_nothing_but_the_tool_api(String which) throws IOException {
    try (JarFile jar = open(System.getProperty(which))) {
      Map<String, Object> spec = object(toolYml(jar), "spec");

      assertThat(spec).containsEntry("entry", "bundle:org.aionos.tool.echo");
      assertThat(spec.get("capabilities_required")).asInstanceOf(LIST).isEmpty();
      assertThat(object(object(spec, "io"), "input")).containsKey("schema");
      assertThat(headers(jar).getValue("Import-Package").split(",(?=[a-z])"))
          .allMatch(each -> each.startsWith("java.") || each.startsWith("org.aionos.tool;"));
    }
  }

  private static JarFile open(String version) throws IOException {
    Path jars = Path.of(System.getProperty("tool.jars"));
    return new JarFile(jars.resolve(NAME + "-" + version + ".jar").toFile());
  }

  private static Attributes headers(JarFile jar) throws IOException {
    return jar.getManifest().getMainAttributes();
  }

  private static Map<String, Object> toolYml(JarFile jar) throws IOException {
    try (InputStream in = jar.getInputStream(jar.getEntry("AION-INF/tool.yml"))) {
      return new Yaml(new SafeConstructor(new LoaderOptions())).load(in);
    }
  }

  private static Properties properties(JarFile jar) throws IOException {
    try (InputStream in = jar.getInputStream(jar.getEntry("AION-INF/tool.properties"))) {
      Properties properties = new Properties();
      properties.load(in);
      return properties;
    }
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> object(Map<String, Object> parent, String name) {
    return (Map<String, Object>) parent.get(name);
  }
}
