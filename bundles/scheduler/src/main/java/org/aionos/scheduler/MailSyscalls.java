package org.aionos.scheduler;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.task.TaskStore.Message;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Mail between agents of one tenant: {@code agent.send} and {@code agent.recv}. What was received
 * stays in the box until the agent acknowledges it with a later {@code agent.recv}.
 */
@Component(
    service = SyscallHandler.class,
    property = {
      SyscallHandler.NAMES + "=" + MailSyscalls.SEND,
      SyscallHandler.NAMES + "=" + MailSyscalls.RECEIVE
    })
public final class MailSyscalls implements SyscallHandler {

  static final String SEND = "agent.send";
  static final String RECEIVE = "agent.recv";

  private static final int MESSAGES_MAX = 100;
  private static final long WAIT_MILLIS_MAX = 20_000;

  private final Dispatcher tasks;

  @Activate
  public MailSyscalls(@Reference(name = "tasks") Dispatcher tasks) {
    this.tasks = tasks;
  }

  @Override
  public Outcome.Ok run(Admitted call) throws InterruptedException {
    AgentId self = call.syscall().agent();
    String name = call.syscall().name();
    try {
      Fields params = Fields.of(call.syscall().params(), "/params");
      return Outcome.Ok.ofKernel(
          name, name.equals(SEND) ? send(self, params) : receive(self, params));
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Problem.at(
              invalid.pointer(),
              invalid.fault() == InvalidDocument.Fault.MISSING
                  ? Code.MISSING_FIELD
                  : Code.INVALID_FIELD,
              invalid.why()));
    } catch (StoreUnavailable away) {
      throw new Refused(Code.BACKEND_UNAVAILABLE, "the store of messages does not answer; retry");
    }
  }

  private Map<String, @Nullable Object> send(AgentId self, Fields params) throws InvalidDocument {
    params.only("to", "body");
    AgentId to = recipient(self, params);
    Map<String, @Nullable Object> message = new LinkedHashMap<>();
    message.put("from", self.toString());
    message.put("body", params.object("body").values());
    return Map.of("id", tasks.mail().send(to, Documents.write(message)));
  }

  /** By its id, or its name within the tenant. */
  private AgentId recipient(AgentId self, Fields params) throws InvalidDocument {
    String written = params.text("to");
    AgentId to;
    try {
      to = written.contains("://") ? AgentId.parse(written) : new AgentId(self.tenant(), written);
    } catch (IllegalArgumentException notAnAgent) {
      throw params.invalid("to", String.valueOf(notAnAgent.getMessage()));
    }
    if (!to.tenant().equals(self.tenant())) {
      throw new Refused(
          Problem.at(params.at("to"), Code.TENANT_MISMATCH, "mail stays within a tenant"));
    }
    if (!tasks.isRegistered(to)) {
      throw params.invalid("to", to + " is not registered");
    }
    return to;
  }

  private Map<String, @Nullable Object> receive(AgentId self, Fields params)
      throws InvalidDocument, InterruptedException {
    params.only("max", "wait_ms", "ack");
    int max = (int) params.wholeNumber("max", 10, 1, MESSAGES_MAX);
    Duration wait = Duration.ofMillis(params.wholeNumber("wait_ms", 0, 0, WAIT_MILLIS_MAX));
    Long through = params.wholeNumberOrNull("ack", 0, Long.MAX_VALUE);
    if (through != null) {
      tasks.mail().discard(self, through);
    }
    List<Map<String, @Nullable Object>> items = new ArrayList<>();
    for (Message message : tasks.mail().receive(self, max, wait)) {
      Map<String, @Nullable Object> item = new LinkedHashMap<>();
      item.put("id", message.number());
      item.putAll(Documents.kept(message.bytes()).values());
      items.add(item);
    }
    return Map.of("items", items);
  }
}
