package org.aionos.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.Annotation;
import java.net.ServerSocket;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Asked;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Reply;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallRouter;
import org.aionos.kernel.task.AgentDoors;
import org.aionos.kernel.task.AgentDoors.Door;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Agents' ways to the kernel, over real sockets. */
final class AgentDoorsTest {

  private static final AgentId AGENT = new AgentId("tenantA", "researcher-1");
  private static final Duration SOON = Duration.ofSeconds(10);

  @TempDir Path folder;

  private final BlockingQueue<Syscall> syscalls = new LinkedBlockingQueue<>();
  private final CountDownLatch goOn = new CountDownLatch(1);
  private volatile boolean slow;
  private Gateway gateway;

  @BeforeEach
  void open() throws Exception {
    Kernel kernel = new Kernel();
    kernel.router = new RememberingRouter();
    kernel.journal = new QuietJournal();
    gateway = new Gateway(new Config(freePort(), 10_000), kernel);
  }

  @AfterEach
  void close() throws Exception {
    goOn.countDown();
    gateway.close();
  }

  @Test
  void whoever_comes_through_is_the_agent_of_the_door_whatever_it_signs() throws Exception {
    door("a", AGENT, "t-1");

    String answer =
        say(
            "a",
            post(
                "/v1/syscall/tool.invoke",
                syscall(AGENT, ""),
                "X-Tenant-Id: tenantB",
                "X-Sig-HMAC: 00",
                "X-Sig-HMAC: 11",
                "Authorization: Bearer forged"));

    assertThat(answer).startsWith("HTTP/1.1 200");
    Syscall made = syscalls.take();
    assertThat(made.caller()).isEqualTo(Caller.agentTask(AGENT, "t-1"));
    assertThat(made.context().taskId()).isEqualTo("t-1");
  }

  @Test
  void an_agent_cannot_speak_for_another() throws Exception {
    door("a", AGENT, "t-1");

    assertThat(
            say("a", post("/v1/syscall/tool.invoke", syscall(new AgentId("tenantA", "other"), ""))))
        .contains(Code.NOT_YOUR_AGENT.name());
    assertThat(
            say(
                "a",
                post(
                    "/v1/syscall/tool.invoke",
                    syscall(new AgentId("tenantB", "researcher-1"), ""))))
        .contains(Code.TENANT_MISMATCH.name());
    assertThat(syscalls).isEmpty();
  }

  @Test
  void its_task_may_be_said_and_no_other() throws Exception {
    door("a", AGENT, "t-1");

    assertThat(say("a", post("/v1/syscall/tool.invoke", syscall(AGENT, "\"task_id\":\"t-1\""))))
        .startsWith("HTTP/1.1 200");
    String forged =
        say("a", post("/v1/syscall/tool.invoke", syscall(AGENT, "\"task_id\":\"t-2\"")));
    String forgedInMemory =
        say("a", post("/v1/memory/put", "{\"type\":\"short\",\"context\":{\"task_id\":\"t-2\"}}"));

    assertThat(forged).startsWith("HTTP/1.1 400").contains("/context/task_id", "INVALID_FIELD");
    assertThat(forgedInMemory)
        .startsWith("HTTP/1.1 400")
        .contains("/context/task_id", "INVALID_FIELD");
    assertThat(syscalls).hasSize(1);
  }

  @Test
  void memory_is_of_its_agent_and_its_task() throws Exception {
    door("a", AGENT, "t-1");

    assertThat(say("a", post("/v1/memory/put", "{\"type\":\"short\",\"key\":\"k\"}")))
        .startsWith("HTTP/1.1 200");

    Syscall made = syscalls.take();
    assertThat(made.agent()).isEqualTo(AGENT);
    assertThat(made.context().taskId()).isEqualTo("t-1");
  }

  @Test
  void an_agent_is_not_somebody_on_this_machine() throws Exception {
    door("a", AGENT, "t-1");

    assertThat(say("a", get("/metrics"))).startsWith("HTTP/1.1 403").contains("ROLE_REQUIRED");
    assertThat(say("a", get("/healthz"))).startsWith("HTTP/1.1 200");
    assertThat(say("a", post("/v1/tenants", "{\"tenant\":\"mine\"}"))).startsWith("HTTP/1.1 403");
  }

  @Test
  void each_door_leads_in_as_its_own_agent() throws Exception {
    List<Door> doors = new ArrayList<>();
    int threads = httpThreads();
    for (int i = 0; i < 50; i++) {
      doors.add(door("d" + i, new AgentId("tenantA", "agent-" + i), "t-" + i));
    }

    for (int i = 0; i < 50; i++) {
      AgentId agent = new AgentId("tenantA", "agent-" + i);
      assertThat(say("d" + i, post("/v1/syscall/tool.invoke", syscall(agent, ""))))
          .startsWith("HTTP/1.1 200");
      assertThat(syscalls.take().caller()).isEqualTo(Caller.agentTask(agent, "t-" + i));
    }

    // What serves calls comes and goes; a door has none.
    assertThat(httpThreads() - threads).isLessThan(10);
    doors.forEach(Door::close);
    assertThat(gateway.doors()).isZero();
  }

  @Test
  void a_closed_door_is_gone_and_another_can_be_opened_there() throws Exception {
    Door door = door("a", AGENT, "t-1");
    SocketChannel open = connected("a");

    door.close();
    door.close();

    assertThat(folder.resolve("a")).isEmptyDirectory();
    assertThatThrownBy(() -> connected("a")).isInstanceOf(IOException.class);
    assertThat(rest(open)).isEmpty();
    door("a", AGENT, "t-2");
    assertThat(say("a", get("/healthz"))).startsWith("HTTP/1.1 200");
  }

  @Test
  void requests_inside_of_a_closing_door_are_finished() throws Exception {
    Door door = door("a", AGENT, "t-1");
    slow = true;
    try (SocketChannel client = connected("a")) {
      write(client, post("/v1/syscall/tool.invoke", syscall(AGENT, "")));
      assertThat(syscalls.poll(10, TimeUnit.SECONDS)).isNotNull();

      CompletableFuture<Void> closing = CompletableFuture.runAsync(door::close);
      awaitTrue(() -> !Files.exists(folder.resolve("a/kernel.sock")));
      assertThat(closing).isNotDone();
      goOn.countDown();

      assertThat(rest(client)).startsWith("HTTP/1.1 200");
      closing.get(10, TimeUnit.SECONDS);
    }
  }

  @Test
  void one_that_does_not_end_holds_up_a_closing_door_no_longer_than_the_drain_time()
      throws Exception {
    gateway.close();
    gateway = new Gateway(new Config(freePort(), 200), kernelOf(new RememberingRouter()));
    Door door = door("a", AGENT, "t-1");
    slow = true;
    try (SocketChannel client = connected("a")) {
      write(client, post("/v1/syscall/tool.invoke", syscall(AGENT, "")));
      assertThat(syscalls.poll(10, TimeUnit.SECONDS)).isNotNull();

      CompletableFuture.runAsync(door::close).get(5, TimeUnit.SECONDS);

      assertThat(rest(client)).isEmpty();
    }
  }

  @Test
  void the_doors_of_a_gateway_go_with_it_and_its_successor_opens_them_anew() throws Exception {
    Door old = door("a", AGENT, "t-1");

    gateway.close();
    assertThat(folder.resolve("a")).isEmptyDirectory();
    gateway = new Gateway(new Config(freePort(), 10_000), kernelOf(new RememberingRouter()));
    door("a", AGENT, "t-1");
    old.close();

    assertThat(say("a", get("/healthz"))).startsWith("HTTP/1.1 200");
  }

  @Test
  void what_cannot_be_a_door_is_refused_with_its_path() throws Exception {
    Path deep = Files.createDirectories(folder.resolve("x".repeat(100)));
    door("a", AGENT, "t-1");

    assertThatThrownBy(() -> gateway.open(AGENT, "t-1", deep))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("107")
        .hasMessageContaining(deep.resolve(AgentDoors.SOCKET).toString());
    assertThatThrownBy(() -> door("a", AGENT, "t-2")).hasMessageContaining("a door already");
    assertThatThrownBy(() -> gateway.open(AGENT, "t-1", folder.resolve("absent")))
        .isInstanceOf(UncheckedIOException.class);
    assertThat(gateway.doors()).isEqualTo(1);
  }

  @Test
  void what_a_killed_kernel_left_in_the_folder_is_replaced() throws Exception {
    Files.createDirectories(folder.resolve("a"));
    Files.writeString(folder.resolve("a/kernel.sock"), "left");

    door("a", AGENT, "t-1");

    assertThat(say("a", get("/healthz"))).startsWith("HTTP/1.1 200");
  }

  @Test
  void any_user_whom_the_folder_lets_through_may_connect() throws Exception {
    door("a", AGENT, "t-1");

    assertThat(
            PosixFilePermissions.toString(
                Files.getPosixFilePermissions(folder.resolve("a/kernel.sock"))))
        .isEqualTo("rw-rw-rw-");
  }

  @Test
  void an_agent_that_holds_all_connections_of_its_door_shuts_out_nobody_else() throws Exception {
    door("a", AGENT, "t-1");
    door("b", AGENT, "t-2");
    List<SocketChannel> held = new ArrayList<>();
    for (int i = 0; i < DoorConnector.CONNECTIONS_PER_DOOR_MAX; i++) {
      held.add(connected("a"));
    }
    for (SocketChannel each : held) {
      // Not the whole request: it stays open.
      write(each, "GET /healthz HTTP/1.1\r\n");
    }

    awaitTrue(() -> rest(connected("a")).isEmpty());
    assertThat(say("b", get("/healthz"))).startsWith("HTTP/1.1 200");

    for (SocketChannel each : held) {
      each.close();
    }
    awaitTrue(() -> say("a", get("/healthz")).startsWith("HTTP/1.1 200"));
  }

  @Test
  void bodies_that_do_not_come_hold_up_no_other_agent() throws Exception {
    door("a", AGENT, "t-1");
    door("b", new AgentId("tenantA", "other"), "t-2");
    List<SocketChannel> held = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      SocketChannel client = connected("a");
      write(client, head("/v1/syscall/tool.invoke", 1_000_000) + "x".repeat(900_000));
      held.add(client);
    }
    awaitTrue(() -> held.stream().anyMatch(AgentDoorsTest::hasAnswer));

    String large = " ".repeat(800_000) + syscall(new AgentId("tenantA", "other"), "");
    assertThat(say("b", post("/v1/syscall/tool.invoke", large))).startsWith("HTTP/1.1 200");
    for (SocketChannel each : held) {
      each.close();
    }
  }

  @Test
  void nonsense_is_answered_and_harms_nobody() throws Exception {
    door("a", AGENT, "t-1");

    assertThat(say("a", "\0\1\2 no HTTP at all\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(say("a", "GET / HTTP/1.1\r\nHost: x\r\nX: " + "y".repeat(40_000) + "\r\n\r\n"))
        .startsWith("HTTP/1.1 431");
    assertThat(say("a", head("/v1/syscall/tool.invoke", 50_000_000))).startsWith("HTTP/1.1 413");
    assertThat(say("a", get("/v1/nothing"))).startsWith("HTTP/1.1 404");
    assertThat(say("a", get("/healthz"))).startsWith("HTTP/1.1 200");
  }

  // --- the agent's end ------------------------------------------------------------------------

  private Door door(String name, AgentId agent, String task) throws IOException {
    return gateway.open(agent, task, Files.createDirectories(folder.resolve(name)));
  }

  private SocketChannel connected(String name) throws IOException {
    return SocketChannel.open(
        UnixDomainSocketAddress.of(folder.resolve(name).resolve(AgentDoors.SOCKET)));
  }

  private String say(String name, String request) throws IOException {
    try (SocketChannel client = connected(name)) {
      write(client, request);
      return rest(client);
    }
  }

  private static void write(SocketChannel client, String text) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
    try {
      while (bytes.hasRemaining()) {
        client.write(bytes);
      }
    } catch (IOException closed) {
      // The answer, if there is one, says why.
      assertThat(closed).hasMessageContaining("Broken pipe");
    }
  }

  /** All that comes until the other end closes; what is lost by a reset is nothing. */
  private static String rest(SocketChannel client) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    try {
      Channels.newInputStream(client).transferTo(all);
    } catch (IOException reset) {
      assertThat(reset).hasMessageContaining("Connection reset");
    }
    return all.toString(UTF_8);
  }

  private static boolean hasAnswer(SocketChannel client) {
    try {
      client.configureBlocking(false);
      boolean answered = client.read(ByteBuffer.allocate(1_000)) > 0;
      client.configureBlocking(true);
      return answered;
    } catch (IOException reset) {
      return true;
    }
  }

  private static String get(String path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost:8010\r\nConnection: close\r\n\r\n";
  }

  private static String post(String path, String body, String... headers) {
    StringBuilder text = new StringBuilder(head(path, body.getBytes(UTF_8).length));
    text.setLength(text.length() - 2);
    for (String each : headers) {
      text.append(each).append("\r\n");
    }
    return text.append("\r\n").append(body).toString();
  }

  private static String head(String path, int length) {
    return "POST "
        + path
        + " HTTP/1.1\r\nHost: localhost:8010\r\nConnection: close\r\nContent-Type:"
        + " application/json\r\nContent-Length: "
        + length
        + "\r\n\r\n";
  }

  private static String syscall(AgentId agent, String context) {
    return "{\"schema\":\"aion.syscall.v1\",\"syscall\":\"tool.invoke\",\"agent_id\":\""
        + agent
        + "\",\"context\":{"
        + context
        + "},\"params\":{\"tool\":\"echo\"}}";
  }

  private static int httpThreads() {
    return (int)
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("aion-http"))
            .count();
  }

  /** Something that may fail while it is looked at. */
  private interface Look {
    boolean isSo() throws IOException;
  }

  private static void awaitTrue(Look look) throws IOException {
    long end = System.nanoTime() + SOON.toNanos();
    while (!look.isSo()) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.onSpinWait();
    }
  }

  // --- the kernel's end -----------------------------------------------------------------------

  private static Kernel kernelOf(SyscallRouter router) {
    Kernel kernel = new Kernel();
    kernel.router = router;
    kernel.journal = new QuietJournal();
    return kernel;
  }

  private static int freePort() throws IOException {
    try (ServerSocket any = new ServerSocket(0)) {
      return any.getLocalPort();
    }
  }

  private final class RememberingRouter implements SyscallRouter {

    @Override
    public void handle(Syscall syscall, CallListener listener) {
      if (!syscall.caller().signsFor(syscall.agent())) {
        listener.ended(
            new Reply(
                "sc-0",
                Outcome.failed(Problem.of(Code.NOT_YOUR_AGENT, "as the real one")),
                Duration.ZERO));
        return;
      }
      syscalls.add(syscall);
      if (slow) {
        try {
          goOn.await();
        } catch (InterruptedException stopped) {
          Thread.currentThread().interrupt();
        }
      }
      listener.ended(new Reply("sc-1", Outcome.Ok.ofKernel("test", Map.of()), Duration.ZERO));
    }

    @Override
    public List<Running> running() {
      return List.of();
    }

    @Override
    public boolean cancel(String auditId, String by) {
      return false;
    }
  }

  private static final class QuietJournal implements Journal {

    @Override
    public Asked asked(Syscall syscall) {
      throw new AssertionError("the router asks");
    }

    @Override
    public void ended(Asked asked, Decision by, Outcome outcome, Duration took) {
      throw new AssertionError("the router ends");
    }

    @Override
    public String record(Event event) {
      return "ev-1";
    }
  }

  private record Config(int port, long drainMillisMax) implements GatewayConfig {

    @Override
    public String host() {
      return "127.0.0.1";
    }

    @Override
    public int bodyBytesMax() {
      return 1 << 20;
    }

    @Override
    public int bodiesBytesMax() {
      return 64 << 20;
    }

    @Override
    public int headerBytesMax() {
      return 16 << 10;
    }

    @Override
    public int threadsMax() {
      return 200;
    }

    @Override
    public int connectionsMax() {
      return 4_096;
    }

    @Override
    public long idleMillisMax() {
      return 60_000;
    }

    @Override
    public int streamBytesMax() {
      return 256 << 10;
    }

    @Override
    public long streamSilenceMillisMax() {
      return 1_000;
    }

    @Override
    public int tenantCallsPerSecondMax() {
      return 10_000;
    }

    @Override
    public int strangerCallsPerSecondMax() {
      return 100;
    }

    @Override
    public Class<? extends Annotation> annotationType() {
      return GatewayConfig.class;
    }
  }
}
