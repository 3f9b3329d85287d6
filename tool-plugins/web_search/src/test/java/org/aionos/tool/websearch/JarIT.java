package org.aionos.tool.websearch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.InstanceOfAssertFactories.LIST;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.aionos.tool.Tool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** What the kernel reads of the jars, and that a jar carries all it needs but its few imports. */
class JarIT {

  private static final String NAME = System.getProperty("tool.name");

  @ParameterizedTest
  @ValueSource(strings = {"tool.version", "tool.version.next"})
  void says_one_name_and_version_everywhere(String which) throws IOException {
    String version = System.getProperty(which);

    try (JarFile jar = new JarFile(path(version).toFile())) {
      Map<String, Object> manifest = toolYml(jar);
      assertThat(manifest).contains(entry("apiVersion", "aion.os/v1"), entry("kind", "Tool"));
      assertThat(object(manifest, "metadata"))
          .contains(entry("name", NAME), entry("version", version));
      assertThat(object(manifest, "spec"))
          .contains(
              entry("entry", "bundle:org.aionos.tool.web_search"),
              entry("capabilities_required", List.of("network")));
      assertThat(properties(jar))
          .containsOnly(entry("tool.name", NAME), entry("tool.version", version));
      assertThat(headers(jar).getValue("Bundle-Version")).isEqualTo(version);
      assertThat(headers(jar).getValue("Provide-Capability"))
          .contains("aion.tool;aion.tool=" + NAME + ";version:Version=\"" + version + "\"");
    }
  }

  @Test
  void answers_from_the_jar_and_its_imports_alone() throws Exception {
    Path jar = path(System.getProperty("tool.version"));
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());
    try (URLClassLoader bundle =
        new URLClassLoader(new URL[] {jar.toUri().toURL()}, importing(imports(jar)))) {
      Tool tool = open(bundle);

      for (String query : List.of("AION-OS Kernel", "عامل هوشمند")) {
        assertThat(tool.invoke(Calls.query(query), Calls.NO_EFFECTS).value().get("items"))
            .asInstanceOf(LIST)
            .isNotEmpty();
      }
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /** As in the framework: the platform, the imported packages, and nothing else of this test. */
  private static ClassLoader importing(Set<String> packages) {
    return new ClassLoader(ClassLoader.getPlatformClassLoader()) {
      @Override
      protected Class<?> findClass(String name) throws ClassNotFoundException {
        if (packages.contains(name.substring(0, name.lastIndexOf('.')))) {
          return JarIT.class.getClassLoader().loadClass(name);
        }
        throw new ClassNotFoundException(name);
      }
    };
  }

  private static Tool open(ClassLoader bundle) throws ReflectiveOperationException {
    Class<?> config = bundle.loadClass(WebSearchConfig.class.getName());
    Object defaults =
        Proxy.newProxyInstance(
            bundle, new Class<?>[] {config}, (proxy, method, none) -> method.getDefaultValue());
    Constructor<?> constructor =
        bundle.loadClass(WebSearchTool.class.getName()).getConstructor(config);
    return (Tool) constructor.newInstance(defaults);
  }

  private static Set<String> imports(Path file) throws IOException {
    try (JarFile jar = new JarFile(file.toFile())) {
      Set<String> packages =
          Stream.of(headers(jar).getValue("Import-Package").split(",(?=[a-z])"))
              .filter(each -> !each.contains("resolution:=optional"))
              .map(each -> each.split(";", 2)[0])
              .filter(each -> !each.startsWith("java."))
              .collect(Collectors.toSet());
      assertThat(packages)
          .containsOnly(
              "org.aionos.tool", "org.slf4j", "com.fasterxml.jackson.core", "javax.net.ssl");
      return packages;
    }
  }

  private static Path path(String version) {
    return Path.of(System.getProperty("tool.jars"), NAME + "-" + version + ".jar");
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
