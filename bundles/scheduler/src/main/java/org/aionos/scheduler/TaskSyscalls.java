package org.aionos.scheduler;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * What a task asks about itself: {@code task.info}, {@code task.checkpoint} (keeps a state of its
 * own), {@code task.resume} (gives it back, and the calls before it are not made again), {@code
 * task.complete} (says what came of it). None of them is replayed.
 */
@Component(
    service = SyscallHandler.class,
    property = {
      SyscallHandler.NAMES + "=" + TaskSyscalls.INFO,
      SyscallHandler.NAMES + "=" + TaskSyscalls.CHECKPOINT,
      SyscallHandler.NAMES + "=" + TaskSyscalls.RESUME,
      SyscallHandler.NAMES + "=" + TaskSyscalls.COMPLETE
    })
public final class TaskSyscalls implements SyscallHandler {

  static final String PREFIX = "task.";
  static final String INFO = PREFIX + "info";
  static final String CHECKPOINT = PREFIX + "checkpoint";
  static final String RESUME = PREFIX + "resume";
  static final String COMPLETE = PREFIX + "complete";

  private final Dispatcher tasks;

  @Activate
  public TaskSyscalls(@Reference(name = "tasks") Dispatcher tasks) {
    this.tasks = tasks;
  }

  @Override
  public Outcome.Ok run(Admitted call) {
    Held held = tasks.of(call.syscall());
    String name = call.syscall().name();
    try {
      Fields params = Fields.of(call.syscall().params(), "/params");
      return Outcome.Ok.ofKernel(
          name,
          switch (name) {
            case CHECKPOINT -> checkpoint(held, params);
            case RESUME -> resume(held, params);
            case COMPLETE -> complete(held, params);
            default -> info(held, params);
          });
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Problem.at(
              invalid.pointer(),
              invalid.fault() == InvalidDocument.Fault.MISSING
                  ? Code.MISSING_FIELD
                  : Code.INVALID_FIELD,
              invalid.why()));
    }
  }

  private Map<String, @Nullable Object> info(Held held, Fields params) throws InvalidDocument {
    params.only();
    return tasks.show(held);
  }

  private Map<String, @Nullable Object> checkpoint(Held held, Fields params)
      throws InvalidDocument {
    Map<String, @Nullable Object> state = bounded(params.only("state"), "state");
    return Map.of("calls", tasks.checkpoint(held, state));
  }

  private Map<String, @Nullable Object> complete(Held held, Fields params) throws InvalidDocument {
    Map<String, @Nullable Object> result = bounded(params.only("result"), "result");
    AgentRun run = held.agentRun();
    if (run == null) {
      throw new Refused(Code.CONFLICT, "only an agent's process says what came of it");
    }
    run.complete(result);
    return Map.of();
  }

  private Map<String, @Nullable Object> bounded(Fields params, String name) throws InvalidDocument {
    Map<String, @Nullable Object> values = params.object(name).values();
    int max = tasks.settings().limits().stateBytesMax();
    if (Documents.write(values).length > max) {
      throw params.invalid(name, "is more than " + max + " bytes as JSON");
    }
    return values;
  }

  private Map<String, @Nullable Object> resume(Held held, Fields params) throws InvalidDocument {
    params.only();
    CallLog.Saved saved = held.log.resume();
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("state", saved == null ? null : saved.state());
    values.put("calls", saved == null ? 0 : saved.calls());
    return values;
  }
}
