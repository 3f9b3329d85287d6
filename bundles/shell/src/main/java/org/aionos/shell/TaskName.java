package org.aionos.shell;

import org.aionos.kernel.task.TaskStore.Key;

/** How tasks are named in this shell: {@code <tenant>/<task>}. */
final class TaskName {

  static final String FORM = "<tenant>/<task>, as aion:tasks shows it";

  private TaskName() {}

  static Key parse(String written) {
    int slash = written.indexOf('/');
    if (slash < 1 || slash == written.length() - 1) {
      throw new IllegalArgumentException(written + " does not name a task: <tenant>/<task>");
    }
    return new Key(written.substring(0, slash), written.substring(slash + 1));
  }
}
