package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A kernel of the real distribution in its own data directory, started by the operators' script.
 */
final class RunningKernel implements AutoCloseable {

  static final ObjectMapper JSON = new ObjectMapper();
  static final Path ROOT =
      Path.of(System.getProperty("aion.root", "..")).toAbsolutePath().normalize();
  static final Path ECHO_1_0 = ROOT.resolve("tool-plugins/echo/target/echo-1.0.0.jar");
  static final Path ECHO_1_1 = ROOT.resolve("tool-plugins/echo/target/echo-1.1.0.jar");

  static final String TENANT = "tenantA";
  static final String RESEARCHER = "agent://tenantA/researcher-1";
  static final Signer RESEARCHER_V1 = Signer.v1(TENANT, "TENANT_A_SECRET");
  static final Signer RESEARCHER_V2 = Signer.v2(TENANT, "tenant-secret", "TENANT_A_SECRET");

  private static final Path WORK =
      Path.of(System.getProperty("aion.work", "target/kernels")).toAbsolutePath();

  /** The machine may be busy with other things, so a start gets more than the script's minute. */
  private static final Duration START_MAX = Duration.ofSeconds(150);

  private static final HttpClient HTTP =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(10))
          .build();

  private static volatile RunningKernel lastUsed;

  private final Options options;
  private final int port;
  private final int sshPort;
  private final Path data;

  private RunningKernel(Options options) {
    this.options = options;
    this.port = options.port == 0 ? freePort() : options.port;
    this.sshPort = freePort();
    this.data = WORK.resolve(options.name);
  }

  /** How to start a kernel. */
  static final class Options {
    private final String name;
    private final Map<String, String> environment = new HashMap<>();
    private boolean bare;
    private int port;

    private Options(String name) {
      this.name = name;
    }

    Options with(String variable, String value) {
      environment.put(variable, value);
      return this;
    }

    /** Without the shipped tools. */
    Options bare() {
      bare = true;
      return this;
    }

    Options port(int chosen) {
      port = chosen;
      return this;
    }

    RunningKernel start() {
      RunningKernel kernel = new RunningKernel(this);
      deleteTree(kernel.data);
      kernel.up();
      Runtime.getRuntime().addShutdownHook(new Thread(kernel::killIfRunning));
      return kernel;
    }
  }

  static Options named(String name) {
    return new Options(name);
  }

  // --- life -----------------------------------------------------------------------------------

  /** Starts it; returns when it is ready. */
  void up() {
    lastUsed = this;
    List<String> command =
        new ArrayList<>(
            List.of("./aion", "up", "--data", data.toString(), "--port", Integer.toString(port)));
    if (options.bare) {
      command.add("--bare");
    }
    Shell started = Shell.run(ROOT, environment(), START_MAX, command);
    if (started.exit() != 0) {
      killIfRunning();
      throw new AssertionError("the kernel does not start: " + started.output() + logTail());
    }
  }

  void down() {
    Shell.run(ROOT, environment(), START_MAX, List.of("./aion", "down", "--data", data.toString()))
        .expectSuccess();
  }

  void restart() {
    down();
    up();
  }

  /** Ends it as a crash does. */
  void kill9() {
    ProcessHandle process = process();
    process.destroyForcibly();
    Await.until("the killed kernel is gone", Duration.ofSeconds(30), () -> !process.isAlive());
  }

  @Override
  public void close() {
    killIfRunning();
  }

  private void killIfRunning() {
    try {
      if (Files.exists(data.resolve("kernel.pid"))) {
        ProcessHandle.of(pid()).filter(this::isOurJvm).ifPresent(ProcessHandle::destroyForcibly);
      }
    } catch (RuntimeException gone) {
      System.err.println("could not kill a kernel: " + gone);
    }
  }

  private ProcessHandle process() {
    return ProcessHandle.of(pid())
        .filter(this::isOurJvm)
        .orElseThrow(() -> new AssertionError("no JVM has the pid in kernel.pid, " + pid()));
  }

  /** A wrapper's pid would make a kill of it look survived. */
  private boolean isOurJvm(ProcessHandle process) {
    boolean java = process.info().command().orElse("").endsWith("/java");
    try {
      String commandLine =
          Files.readString(Path.of("/proc", Long.toString(process.pid()), "cmdline"), UTF_8);
      return java && commandLine.contains(data.toString());
    } catch (IOException gone) {
      return false;
    }
  }

  // --- what it is -----------------------------------------------------------------------------

  int port() {
    return port;
  }

  int sshPort() {
    return sshPort;
  }

  Path data() {
    return data;
  }

  Path deployFolder() {
    return data.resolve("deploy");
  }

  long pid() {
    return Long.parseLong(read(data.resolve("kernel.pid")).strip());
  }

  String token() {
    return read(data.resolve("state/identity/bootstrap.token")).strip();
  }

  Signer operator() {
    return Signer.bearer(token());
  }

  String log() {
    try {
      // Another process writes it, so a character may stand half written at the end.
      return new String(Files.readAllBytes(data.resolve("log/karaf.log")), UTF_8);
    } catch (NoSuchFileException notYet) {
      return "";
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  String logTail() {
    List<String> lines = log().lines().toList();
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
  }

  static String tailOfLastUsed() {
    RunningKernel kernel = lastUsed;
    return kernel == null ? "" : kernel.data + "/log/karaf.log ends:\n" + kernel.logTail();
  }

  // --- calls ----------------------------------------------------------------------------------

  /** One call, whose answer must be as openapi.yaml says. */
  Answer call(Signer signer, String method, String target, byte[] body) {
    Map<String, String> headers = new HashMap<>(signer.headers(method, target, body));
    if (body.length > 0) {
      headers.put("Content-Type", "application/json");
    }
    return call(method, target, headers, body);
  }

  Answer call(Signer signer, String method, String target) {
    return call(signer, method, target, new byte[0]);
  }

  Answer call(Signer signer, String method, String target, JsonNode body) {
    return call(signer, method, target, bytes(body));
  }

  Answer call(String method, String target, Map<String, String> headers, byte[] body) {
    try {
      Answer answer = send(method, target, headers, body);
      OpenApi.check(method, target, answer);
      return answer;
    } catch (IOException unreachable) {
      throw new UncheckedIOException(unreachable);
    }
  }

  /** One call, whatever comes back. */
  Answer send(String method, String target, Map<String, String> headers, byte[] body)
      throws IOException {
    lastUsed = this;
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + target))
            .timeout(Duration.ofSeconds(60))
            .method(
                method,
                body.length == 0
                    ? HttpRequest.BodyPublishers.noBody()
                    : HttpRequest.BodyPublishers.ofByteArray(body));
    headers.forEach(request::header);
    try {
      return Answer.of(HTTP.send(request.build(), HttpResponse.BodyHandlers.ofByteArray()));
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", interrupted);
    }
  }

  /** One call whose caller listens; the answer's bytes as they come. */
  InputStream stream(Signer signer, JsonNode body) {
    lastUsed = this;
    String target = "/v1/syscall/" + body.path("syscall").asText();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + target))
            .header("Accept", "text/event-stream")
            .POST(HttpRequest.BodyPublishers.ofByteArray(bytes(body)));
    signer.headers("POST", target, bytes(body)).forEach(request::header);
    try {
      HttpResponse<InputStream> answer =
          HTTP.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      if (!answer.headers().firstValue("content-type").orElse("").equals("text/event-stream")) {
        throw new AssertionError(new String(answer.body().readAllBytes(), UTF_8));
      }
      return answer.body();
    } catch (IOException unreachable) {
      throw new UncheckedIOException(unreachable);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", interrupted);
    }
  }

  /** The sample agent calls a tool. */
  Answer invoke(String tool, Map<String, ?> arguments) {
    ObjectNode body = syscall("tool.invoke", RESEARCHER);
    body.withObject("/params").put("tool", tool).setAll(JSON.<ObjectNode>valueToTree(arguments));
    return call(RESEARCHER_V1, "POST", "/v1/syscall/tool.invoke", body);
  }

  static ObjectNode syscall(String name, String agent) {
    ObjectNode body = JSON.createObjectNode();
    body.put("schema", "aion.syscall.v1").put("syscall", name).put("agent_id", agent);
    body.putObject("params");
    return body;
  }

  static byte[] bytes(JsonNode json) {
    try {
      return JSON.writeValueAsBytes(json);
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  // --- tools ----------------------------------------------------------------------------------

  /** Name@version of every tool that is installed. */
  List<String> tools() {
    List<String> names = new ArrayList<>();
    for (JsonNode tool : call(operator(), "GET", "/v1/tools").expect(200).json().get("items")) {
      names.add(tool.get("name").asText() + "@" + tool.get("version").asText());
    }
    return names;
  }

  void awaitTool(String nameAndVersion) {
    Await.until(
        nameAndVersion + " is installed",
        Duration.ofSeconds(30),
        () -> tools().contains(nameAndVersion));
  }

  void awaitNoTool(String nameAndVersion) {
    Await.until(
        nameAndVersion + " is gone",
        Duration.ofSeconds(30),
        () -> !tools().contains(nameAndVersion));
  }

  void awaitLog(String what) {
    Await.until("the log says: " + what, Duration.ofSeconds(30), () -> log().contains(what));
  }

  void allow(byte[] jar) {
    String line = HexFormat.of().formatHex(Signer.sha256(jar)) + "\n";
    try {
      Files.writeString(
          data.resolve("config/trust/allowed-tools.txt"), line, UTF_8, StandardOpenOption.APPEND);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
  }

  /** Puts a whole jar into deploy/ at once, as an operator's mv does. */
  Path drop(byte[] jar, String fileName) {
    Path whole = deployFolder().resolve(fileName);
    Path part = deployFolder().resolve("." + fileName + ".part");
    try {
      Files.write(part, jar);
      Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    return whole;
  }

  Path allowAndDrop(byte[] jar, String fileName) {
    allow(jar);
    return drop(jar, fileName);
  }

  // --- operator's programs --------------------------------------------------------------------

  /** Runs a command in the operator's shell and returns what it printed. */
  String shell(String... command) {
    lastUsed = this;
    List<String> line = new ArrayList<>(List.of("./aion", "shell"));
    line.addAll(List.of(command));
    return Shell.run(ROOT, environment(), Duration.ofSeconds(90), line).output();
  }

  /** All that stands on record, as text with whatever binary is around it. */
  String journal() {
    try (Stream<Path> files = Files.walk(data.resolve("state/journal"))) {
      StringBuilder text = new StringBuilder();
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        text.append(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      }
      return text.toString();
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  Shell auditVerify() {
    return Shell.run(
        ROOT, environment(), Duration.ofSeconds(120), List.of("./aion", "audit", "verify"));
  }

  String jcmd(String... command) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "jcmd").toString());
    line.add(Long.toString(process().pid()));
    line.addAll(List.of(command));
    return Shell.run(ROOT, Map.of(), Duration.ofSeconds(60), line).expectSuccess().output();
  }

  Map<String, String> environment() {
    Map<String, String> environment = new HashMap<>(options.environment);
    environment.put("AION_NO_BUILD", "1");
    environment.put("AION_DATA", data.toString());
    environment.put("AION_KERNEL_PORT", Integer.toString(port));
    environment.put("AION_SSH_PORT", Integer.toString(sshPort));
    return environment;
  }

  // --- files and ports ------------------------------------------------------------------------

  static byte[] readBytes(Path file) {
    try {
      return Files.readAllBytes(file);
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  static String read(Path file) {
    return new String(readBytes(file), UTF_8);
  }

  /**
   * A port that nobody listens on. Below the range from which the system hands out ports of its own
   * choice: a kernel that is down for a moment must find its port still free when it comes back.
   */
  static int freePort() {
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
      try (ServerSocket socket = new ServerSocket(port)) {
        return socket.getLocalPort();
      } catch (IOException taken) {
        // The next one, then.
      }
    }
    throw new IllegalStateException("no free port between 20000 and 32000");
  }

  private static void deleteTree(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException stays) {
      throw new UncheckedIOException(stays);
    }
  }
}
