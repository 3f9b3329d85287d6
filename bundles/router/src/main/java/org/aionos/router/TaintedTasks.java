package org.aionos.router;

import java.util.LinkedHashSet;
import java.util.Set;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.memory.TaskTrust;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/**
 * Tells memory that a task is about to read something of the outside, before it does. While memory
 * is replaced it keeps what it could not tell, and trusts no task.
 */
@Component(service = TaintedTasks.class)
public final class TaintedTasks {

  /** Whoever holds this reads what anybody may have written. */
  private static final String OUTSIDE = "network";

  /** Memory is back within a second; more calls than that hold are refused meanwhile. */
  private static final int KEPT_MAX = 10_000;

  private record Task(AgentId agent, @Nullable String name) {}

  /** Guarded by this. */
  private @Nullable TaskTrust memory;

  private final Set<Task> untold = new LinkedHashSet<>();

  @Reference(
      name = "memory",
      cardinality = ReferenceCardinality.OPTIONAL,
      policy = ReferencePolicy.DYNAMIC,
      policyOption = ReferencePolicyOption.GREEDY)
  synchronized void setMemory(TaskTrust memory) {
    this.memory = memory;
    untold.forEach(task -> memory.read(task.agent, task.name, Trust.LOW));
    untold.clear();
  }

  synchronized void unsetMemory(TaskTrust gone) {
    memory = memory == gone ? null : memory;
  }

  /** What the task of a call may be trusted with. */
  Trust of(Syscall call) {
    TaskTrust known = known();
    return known == null ? Trust.LOW : known.of(call.agent(), call.context().taskId());
  }

  /**
   * The call may now read what it needs.
   *
   * @throws Refused {@code RESTARTING} if this could not be remembered
   */
  void mayRead(Syscall call, Set<String> needs) {
    if (!needs.contains(OUTSIDE)) {
      return;
    }
    TaskTrust known = known();
    if (known == null) {
      keep(new Task(call.agent(), call.context().taskId()));
    } else {
      known.read(call.agent(), call.context().taskId(), Trust.LOW);
    }
  }

  private synchronized @Nullable TaskTrust known() {
    return memory;
  }

  private synchronized void keep(Task task) {
    if (memory != null) {
      memory.read(task.agent, task.name, Trust.LOW);
    } else {
      if (untold.size() == KEPT_MAX && !untold.contains(task)) {
        throw new Refused(Code.RESTARTING, "memory is being replaced; retry");
      }
      untold.add(task);
    }
  }
}
