package org.aionos.scheduling;

import org.aionos.kernel.task.TaskStore.Key;

/** What is to be done. Each must be answered, in the end, by a call of {@link Schedule}. */
public sealed interface Action {

  /** The job has a slot: begin it. */
  record Start(Key key) implements Action {}

  /** The job has a slot: let it go on where it was. */
  record Resume(Key key) implements Action {}

  /**
   * Freeze a job, and say {@link Schedule#yielded} or {@link Schedule#kept}. It holds its slot
   * until then.
   *
   * @param beneficiary who would get the slot if it were free now
   */
  record Preempt(Key victim, Key beneficiary) implements Action {}
}
