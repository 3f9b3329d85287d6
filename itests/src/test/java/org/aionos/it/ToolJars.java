package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;

/** Makes tool jars, good and hostile, that look like those of tool-plugins/. */
final class ToolJars {

  private final Map<String, String> headers = new LinkedHashMap<>();
  private final Map<String, byte[]> entries = new LinkedHashMap<>();

  private ToolJars() {}

  /** A whole tool of one class, which gets its source with {@code $CLASS} for its name. */
  static ToolJars tool(String name, String version, int timeoutMillis, String source) {
    String packageName = "org.example.tool." + name;
    ToolJars jar = new ToolJars();
    jar.header("Bundle-ManifestVersion", "2")
        .header("Bundle-SymbolicName", packageName)
        .header("Bundle-Version", version)
        .header("Import-Package", "org.aionos.tool;version=\"[1.0,2)\"")
        .header("Service-Component", "OSGI-INF/tool.xml")
        .header(
            "Require-Capability",
            "osgi.extender;filter:=\"(&(osgi.extender=osgi.component)(version>=1.5.0))\"");
    jar.entry(
        "AION-INF/tool.yml",
        """
        apiVersion: aion.os/v1
        kind: Tool
        metadata: { name: %s, version: %s, description: A tool of the tests. }
        spec:
          entry: "bundle:%s"
          capabilities_required: []
          limits: { timeout_ms: %d, concurrency: 64 }
        """
            .formatted(name, version, packageName, timeoutMillis));
    jar.entry(
        "OSGI-INF/tool.xml",
        """
        <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.4.0" name="%1$s.TheTool">
          <property name="tool.name" value="%2$s"/>
          <property name="tool.version" value="%3$s"/>
          <service><provide interface="org.aionos.tool.Tool"/></service>
          <implementation class="%1$s.TheTool"/>
        </scr:component>
        """
            .formatted(packageName, name, version));
    compile("package " + packageName + ";\n" + source, packageName + ".TheTool")
        .forEach(jar::entry);
    return jar;
  }

  /** A bundle that is no tool: a class {@code Marks}, which a header is to name. */
  static ToolJars activator(String packageName, String source) {
    ToolJars jar =
        new ToolJars()
            .header("Bundle-ManifestVersion", "2")
            .header("Bundle-SymbolicName", packageName);
    compile("package " + packageName + ";\n" + source, packageName + ".Marks").forEach(jar::entry);
    return jar;
  }

  /** A tool of files, without Java; gets its files, and a bundle's headers, from its maker. */
  static ToolJars files(String toolYaml) {
    return new ToolJars().entry("AION-INF/tool.yml", toolYaml);
  }

  /** The smallest tool: it answers with its version and its arguments. */
  static ToolJars plain(String name, String version) {
    return tool(
        name,
        version,
        5_000,
        """
        import java.util.*;
        import org.aionos.tool.*;
        public final class TheTool implements Tool {
          public ToolResult invoke(ToolCall call, Effects effects) {
            return ToolResult.of(Map.of("version", "%s"));
          }
        }
        """
            .formatted(version));
  }

  /** A tool without Java or bundle headers, as a vendor may zip it. */
  static ToolJars confined(String name, String version, String entry, int timeoutMillis) {
    return new ToolJars()
        .entry(
            "AION-INF/tool.yml",
            """
            apiVersion: aion.os/v1
            kind: Tool
            metadata: { name: %s, version: %s, description: A tool of the tests. }
            spec:
              entry: "%s"
              capabilities_required: []
              limits: { timeout_ms: %d, concurrency: 64 }
            """
                .formatted(name, version, entry, timeoutMillis));
  }

  ToolJars header(String name, String value) {
    headers.put(name, value);
    return this;
  }

  ToolJars entry(String name, String text) {
    return entry(name, text.getBytes(UTF_8));
  }

  ToolJars entry(String name, byte[] bytes) {
    entries.put(name, bytes);
    return this;
  }

  byte[] bytes() {
    Manifest manifest = new Manifest();
    Attributes attributes = manifest.getMainAttributes();
    attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
    headers.forEach((name, value) -> attributes.put(new Attributes.Name(name), value));
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JarOutputStream jar = new JarOutputStream(bytes)) {
      ByteArrayOutputStream text = new ByteArrayOutputStream();
      manifest.write(text);
      put(jar, "META-INF/MANIFEST.MF", text.toByteArray());
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        put(jar, entry.getKey(), entry.getValue());
      }
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
    return bytes.toByteArray();
  }

  private static void put(JarOutputStream jar, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    entry.setTime(0);
    jar.putNextEntry(entry);
    jar.write(content);
    jar.closeEntry();
  }

  private static Map<String, byte[]> compile(String source, String className) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, UTF_8)) {
      Path output = Files.createTempDirectory("tool-classes");
      files.setLocationFromPaths(StandardLocation.CLASS_OUTPUT, List.of(output));
      JavaFileObject file =
          new SimpleJavaFileObject(
              URI.create("string:///" + className.replace('.', '/') + ".java"),
              JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
              return source;
            }
          };
      boolean compiled =
          compiler
              .getTask(
                  null, files, null, List.of("--release", "17", "-proc:none"), null, List.of(file))
              .call();
      if (!compiled) {
        throw new AssertionError("the test's tool does not compile:\n" + source);
      }
      Map<String, byte[]> classes = new LinkedHashMap<>();
      try (var all = Files.walk(output)) {
        for (Path each : all.filter(Files::isRegularFile).toList()) {
          classes.put(output.relativize(each).toString(), Files.readAllBytes(each));
        }
      }
      return classes;
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }
}
