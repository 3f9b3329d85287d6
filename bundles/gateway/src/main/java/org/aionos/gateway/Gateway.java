package org.aionos.gateway;

import static org.aionos.gateway.Routes.Access.LOCAL;
import static org.aionos.gateway.Routes.Access.OPEN;
import static org.aionos.gateway.Routes.Access.PROVEN;

import java.nio.file.Path;
import java.time.Duration;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.task.AgentDoors;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.http2.server.HTTP2CServerConnectionFactory;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.ConnectionLimit;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Owns the HTTP server: HTTP/1.1 and cleartext HTTP/2, on one port and on the doors of agents. */
@Component(
    service = {Gateway.class, AgentDoors.class},
    immediate = true,
    configurationPid = "org.aionos.gateway",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = GatewayConfig.class)
public final class Gateway implements AgentDoors {

  private static final Logger log = LoggerFactory.getLogger(Gateway.class);

  /** Ours are a handful of short ones. */
  private static final int RESPONSE_HEADER_BYTES_MAX = 2_048;

  /** Most calls fit, headers and all; a longer one takes a few reads. Allotted for each request. */
  private static final int INPUT_BUFFER_BYTES = 4_096;

  /** Of the largest bodies, so many may be on their way through one door: one, and the next. */
  private static final int DOOR_BODIES = 2;

  private final Server server;
  private final DoorConnector doors;
  private final Strangers strangers;

  @Activate
  public Gateway(GatewayConfig config, @Reference(name = "kernel") Kernel kernel) throws Exception {
    this.strangers = new Strangers(kernel, config.strangerCallsPerSecondMax(), System::nanoTime);
    QueuedThreadPool threads = new QueuedThreadPool(config.threadsMax(), 8);
    threads.setName("aion-http");
    // Not pooled: under a flood of malformed requests Jetty 12.1.14 gives one buffer to two
    // connections, about once in 30,000, and one request is lost in the other; see ADR 0002.
    this.server = new Server(threads, null, new ByteBufferPool.NonPooling());
    ServerConnector port = port(config);
    server.addConnector(port);
    // Of the port alone: agents that hold all they may must not shut out everybody else.
    server.addBean(new ConnectionLimit(config.connectionsMax(), port));
    this.doors =
        new DoorConnector(
            server,
            Duration.ofMillis(config.drainMillisMax()),
            DOOR_BODIES * config.bodyBytesMax(),
            protocols(http(config)));
    doors.setIdleTimeout(config.idleMillisMax());
    server.addConnector(doors);
    server.setErrorHandler(new JsonErrors());
    server.setHandler(
        new GracefulHandler(
            new ApiHandler(
                kernel,
                routes(kernel),
                strangers,
                new Buckets(config.tenantCallsPerSecondMax(), System::nanoTime),
                config.bodyBytesMax(),
                config.bodiesBytesMax(),
                new EventStream.Bounds(
                    config.streamBytesMax(), Duration.ofMillis(config.streamSilenceMillisMax())))));
    server.setStopTimeout(config.drainMillisMax());
    start();
    log.info("gateway open: host={} port={}", config.host(), config.port());
  }

  private void start() throws Exception {
    // Jetty finds its parts through the loader of the thread that starts it.
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(Server.class.getClassLoader());
    try {
      server.start();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private ServerConnector port(GatewayConfig config) {
    ServerConnector connector = new ServerConnector(server, protocols(http(config)));
    connector.setHost(config.host());
    connector.setPort(config.port());
    connector.setIdleTimeout(config.idleMillisMax());
    return connector;
  }

  private static ConnectionFactory[] protocols(HttpConfiguration http) {
    HttpConnectionFactory http1 = new HttpConnectionFactory(http);
    http1.setInputBufferSize(INPUT_BUFFER_BYTES);
    return new ConnectionFactory[] {http1, new HTTP2CServerConnectionFactory(http)};
  }

  private static HttpConfiguration http(GatewayConfig config) {
    HttpConfiguration http = new HttpConfiguration();
    http.setSendServerVersion(false);
    http.setRequestHeaderSize(config.headerBytesMax());
    http.setResponseHeaderSize(RESPONSE_HEADER_BYTES_MAX);
    // On the heap, where one that is not pooled costs little and is collected at once.
    http.setUseInputDirectByteBuffers(false);
    http.setUseOutputDirectByteBuffers(false);
    // Paths are matched as they were sent, so no form of them is ambiguous here; see Routes.
    http.setUriCompliance(UriCompliance.UNSAFE);
    return http;
  }

  @Override
  public Door open(AgentId agent, String task, Path folder) {
    return doors.open(agent, task, folder);
  }

  /** How many doors are open. */
  int doors() {
    return doors.count();
  }

  /** Requests in flight are finished; new ones are refused with 503. */
  @Deactivate
  void close() throws Exception {
    doors.shut();
    server.stop();
    strangers.flush();
    log.info("gateway closed");
  }

  private static Routes routes(Kernel kernel) {
    SyscallEndpoint syscalls = new SyscallEndpoint(kernel);
    MemoryEndpoints memory = new MemoryEndpoints(syscalls);
    AgentEndpoints agents = new AgentEndpoints(kernel);
    JournalEndpoints journal = new JournalEndpoints(kernel);
    IdentityEndpoints identity = new IdentityEndpoints(kernel);
    KernelEndpoints kernelInside = new KernelEndpoints(kernel);
    ToolEndpoints tools = new ToolEndpoints(kernel);
    CallEndpoints calls = new CallEndpoints(kernel);
    ScheduleEndpoints schedule = new ScheduleEndpoints(kernel);
    BudgetEndpoints budgets = new BudgetEndpoints(kernel);
    BrainEndpoints brain = new BrainEndpoints(kernel);
    PolicyEndpoints policy = new PolicyEndpoints(kernel);
    ApprovalEndpoints approvals = new ApprovalEndpoints(kernel);
    return new Routes()
        .add("POST", "/v1/syscall/{name}", PROVEN, syscalls::serve)
        .add("POST", "/v1/memory/put", PROVEN, memory::put)
        .add("POST", "/v1/memory/query", PROVEN, memory::query)
        .add("POST", "/v1/agent/register", PROVEN, agents::register)
        .add("POST", "/v1/agent/heartbeat", PROVEN, agents::heartbeat)
        .add("GET", "/v1/agents", PROVEN, agents::list)
        .add("GET", "/v1/agents/{id}", PROVEN, agents::show)
        .add("POST", "/v1/agents/{id}/approve", PROVEN, agents::approve)
        .add("POST", "/v1/agents/{id}/stop", PROVEN, agents::stop)
        .add("POST", "/v1/agents/{id}/resume", PROVEN, agents::resume)
        .add("POST", "/v1/agents/{id}/approve-entry", PROVEN, schedule::approveEntry)
        .add("POST", "/v1/schedule/submit", PROVEN, schedule::submit)
        .add("GET", "/v1/schedule/tasks", PROVEN, schedule::list)
        .add("GET", "/v1/schedule/tasks/{task_id}", PROVEN, schedule::show)
        .add("GET", "/v1/schedule/tasks/{task_id}/explain", PROVEN, schedule::explain)
        .add("POST", "/v1/schedule/tasks/{task_id}/cancel", PROVEN, schedule::cancel)
        .add("POST", "/v1/schedule/tasks/{task_id}/replay", PROVEN, schedule::replay)
        .add("GET", "/v1/schedule/queue", PROVEN, schedule::queue)
        .add("GET", "/v1/budgets", PROVEN, budgets::show)
        .add("POST", "/v1/brain/propose-policy", PROVEN, brain::propose)
        .add("GET", "/v1/tools", PROVEN, kernelInside::tools)
        .add("POST", "/v1/tools", PROVEN, tools::install)
        .add("GET", "/v1/canaries", PROVEN, tools::canaries)
        .add("POST", "/v1/canaries/{tool}/weigh", PROVEN, tools::weigh)
        .add("POST", "/v1/canaries/{tool}/promote", PROVEN, tools::promote)
        .add("POST", "/v1/canaries/{tool}/end", PROVEN, tools::end)
        .add("GET", "/v1/models", PROVEN, kernelInside::models)
        .add("GET", "/v1/policy", PROVEN, policy::show)
        .add("GET", "/v1/policy/versions", PROVEN, policy::list)
        .add("POST", "/v1/policy/versions", PROVEN, policy::add)
        .add("GET", "/v1/policy/versions/{version}", PROVEN, policy::find)
        .add("GET", "/v1/policy/diff", PROVEN, policy::diff)
        .add("POST", "/v1/policy/activate/{version}", PROVEN, policy::activate)
        .add("POST", "/v1/policy/rollback/{version}", PROVEN, policy::rollback)
        .add("POST", "/v1/policy/dry-run/{version}", PROVEN, policy::dryRun)
        .add("GET", "/v1/policy/canary", PROVEN, policy::canary)
        .add("POST", "/v1/policy/canary/promote", PROVEN, policy::promote)
        .add("POST", "/v1/policy/canary/end", PROVEN, policy::end)
        .add("GET", "/v1/policy/revocations", PROVEN, policy::revocations)
        .add("POST", "/v1/policy/revocations", PROVEN, policy::revoke)
        .add("DELETE", "/v1/policy/revocations/{id}", PROVEN, policy::lift)
        .add("GET", "/v1/approvals", PROVEN, approvals::list)
        .add("POST", "/v1/approvals/{id}/approve", PROVEN, approvals::approve)
        .add("POST", "/v1/approvals/{id}/refuse", PROVEN, approvals::refuse)
        .add("GET", "/v1/syscalls", PROVEN, journal::list)
        .add("GET", "/v1/syscalls/{audit_id}", PROVEN, journal::show)
        .add("GET", "/v1/calls", PROVEN, calls::list)
        .add("POST", "/v1/calls/{audit_id}/cancel", PROVEN, calls::cancel)
        .add("GET", "/v1/tenants", PROVEN, identity::tenants)
        .add("POST", "/v1/tenants", PROVEN, identity::addTenant)
        .add("GET", "/v1/keys", PROVEN, identity::keys)
        .add("POST", "/v1/keys", PROVEN, identity::addKey)
        .add("DELETE", "/v1/keys/{key_id}", PROVEN, identity::revokeKey)
        .add("DELETE", "/v1/tokens/bootstrap", PROVEN, identity::revokeBootstrapToken)
        .add("GET", "/healthz", OPEN, kernelInside::health)
        .add("GET", "/readyz", OPEN, kernelInside::ready)
        .add("GET", "/openapi.yaml", OPEN, kernelInside::openApi)
        .add("GET", "/metrics", LOCAL, kernelInside::metrics);
  }

  /** What the HTTP layer itself refuses, in the same shape as every other failure. */
  private static final class JsonErrors extends ErrorHandler {

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
      int status = response.getStatus();
      Code code =
          switch (status) {
            case 503 -> Code.RESTARTING;
            case 413 -> Code.BODY_TOO_LARGE;
            case 431 -> Code.HEADERS_TOO_LARGE;
            // Another version of HTTP: the caller's doing, whatever block HTTP has its number in.
            case 505 -> Code.MALFORMED_REQUEST;
            default -> status >= 500 ? Code.KERNEL_FAULT : Code.MALFORMED_REQUEST;
          };
      Problem problem = Problem.of(code, "not a request that this server can read");
      if (code == Code.MALFORMED_REQUEST) {
        // Also for 417, 426 and the like: a code has one status.
        response.setStatus(code.httpStatus());
      }
      response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
      if (status == 503) {
        response.getHeaders().put(HttpHeader.RETRY_AFTER, 1);
      }
      Content.Sink.write(
          response,
          true,
          new String(Answers.of(problem, "", null), java.nio.charset.StandardCharsets.UTF_8),
          callback);
      return true;
    }
  }
}
