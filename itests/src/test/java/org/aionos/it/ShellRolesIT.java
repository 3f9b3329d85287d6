package org.aionos.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An operator's shell operates; it does not run programs, read files or change the kernel. */
@Order(5)
class ShellRolesIT {

  private static final String LISTENS = "0A";

  private static RunningKernel kernel;

  @BeforeAll
  static void start() {
    kernel = SharedKernel.get();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "exec touch MARK",
        "shell:exec touch MARK",
        "shell:new java.io.File MARK",
        "new java.io.FileOutputStream MARK",
        "shell:java org.example.Main",
        "($.context class) getName",
        "service:get org.osgi.service.cm.ConfigurationAdmin",
        "(($.session class) forName java.lang.Runtime) getRuntime",
        "'text' getClass",
        "aion:tools > MARK",
        "aion:tools | tee MARK",
        "shell:cat etc/users.properties",
        "cat etc/users.properties",
        "shell:less etc/users.properties",
        "head etc/users.properties",
        "grep admin etc/users.properties",
        "shell:source etc/shell.init.script",
        "shell:nano etc/users.properties",
        "tac MARK",
        "ls etc",
        "bundle:install -s file:MARK",
        "bundle:update org.aionos.wasm",
        "bundle:stop org.aionos.trust",
        "bundle:uninstall org.aionos.trust",
        "bundle:refresh",
        "bundle:watch *",
        "bundle:start-level 1 1",
        "feature:install webconsole",
        "feature:uninstall aion-kernel",
        "feature:repo-add mvn:a/b/1/xml/features",
        "config:list",
        "config:edit org.aionos.trust",
        "config:property-set -p org.apache.karaf.command.acl.aion * operator",
        "log:set DEBUG",
        "log:clear",
        "jaas:realm-list",
        "ssh:ssh 127.0.0.1",
        "system:shutdown -f",
        "aion:bundle-allow aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aion:bundle-disallow aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "each [1] { exec touch MARK }",
        "if { true } { shell:exec touch MARK }"
      })
  void the_operator_is_refused(String command) throws IOException {
    Path mark = Files.createTempDirectory("roles").resolve("mark");
    String said = Ssh.run(kernel, command.replace("MARK", mark.toString()));

    assertThat(said).containsPattern("Command not found|Insufficient credentials");
    assertThat(mark).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "aion:tools",
        "aion:agents",
        "aion:tasks",
        "aion:queue",
        "aion:models",
        "aion:policy",
        "aion:config",
        "aion:tenants",
        "aion:syscalls --limit 1",
        "bundle:list -t 0",
        "feature:list -i",
        "service:list",
        "log:display -n 5",
        "echo hello",
        "help aion:tools"
      })
  void the_operator_looks_and_operates(String command) throws IOException {
    assertThat(Ssh.run(kernel, command))
        .isNotBlank()
        .doesNotContain("Command not found", "Insufficient credentials", "Error executing");
  }

  @Test
  void the_admin_does_all_that() throws IOException {
    Path mark = Files.createTempDirectory("roles").resolve("mark");

    Ssh.admin(kernel, "exec touch " + mark);

    assertThat(mark).exists();
    assertThat(Ssh.admin(kernel, "config:list")).contains("org.aionos.trust");
    assertThat(Ssh.admin(kernel, "aion:tools")).contains("echo");
  }

  @Test
  void the_script_opens_either_shell() {
    assertThat(kernel.shell("config:list")).doesNotContain("org.aionos.trust");
    assertThat(kernel.shell("--admin", "config:list")).contains("org.aionos.trust");
  }

  @Test
  void no_files_are_copied_through_the_shell() throws IOException {
    for (String user : List.of("operator", "admin")) {
      try (Ssh session = new Ssh(kernel, user, Ssh.passwordOf(kernel, user))) {
        assertThat(session.opensSubsystem("sftp")).as(user).isFalse();
      }
    }
    assertThat(Ssh.run(kernel, "scp -f etc/users.properties")).contains("Command not found");
  }

  /** Neither JMX nor RMI nor Karaf's shutdown port, nor anything that nobody thought of. */
  @Test
  void the_kernel_listens_on_its_port_and_for_the_shell_on_this_machine_alone() throws IOException {
    assertThat(listening())
        .containsExactlyInAnyOrder("127.0.0.1:" + kernel.port(), "127.0.0.1:" + kernel.sshPort());
  }

  private static Set<String> listening() throws IOException {
    Path process = Path.of("/proc", Long.toString(kernel.pid()));
    Set<String> sockets;
    try (Stream<Path> open = Files.list(process.resolve("fd"))) {
      sockets = open.map(ShellRolesIT::target).collect(Collectors.toSet());
    }
    Set<String> addresses = new TreeSet<>();
    for (String table : List.of("tcp", "tcp6")) {
      for (String line : Files.readAllLines(process.resolve("net").resolve(table))) {
        String[] fields = line.strip().split("\\s+");
        if (fields[3].equals(LISTENS) && sockets.contains("socket:[" + fields[9] + "]")) {
          addresses.add(address(fields[1]));
        }
      }
    }
    return addresses;
  }

  private static String target(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString();
    } catch (IOException closed) {
      return "";
    }
  }

  /** Linux writes each four bytes of an address backwards. */
  private static String address(String hex) {
    String[] parts = hex.split(":");
    String v4 = parts[0].substring(parts[0].length() - 8);
    byte[] bytes = HexFormat.of().parseHex(v4);
    boolean mapped = parts[0].length() == 8 || parts[0].startsWith("0000000000000000FFFF0000");
    String host =
        mapped
            ? (bytes[3] & 255)
                + "."
                + (bytes[2] & 255)
                + "."
                + (bytes[1] & 255)
                + "."
                + (bytes[0] & 255)
            : parts[0];
    return host + ":" + Integer.parseInt(parts[1], 16);
  }
}
