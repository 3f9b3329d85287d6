package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.TaskTrust;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;

/**
 * What tasks have read, in a file of lines: one for each time that a task's trust fell. It falls
 * twice at most, so the file stays small; the oldest tasks are forgotten when it is read again.
 */
final class Taints implements TaskTrust {

  static final int TASKS_MAX = 100_000;

  private record Task(AgentId agent, String name) {}

  private final Path file;

  /** Guarded by this; in the order of their last fall. */
  private final Map<Task, Trust> tasks = new LinkedHashMap<>();

  Taints(Path file) throws IOException {
    this.file = file;
    Files.createDirectories(file.getParent());
    if (Files.exists(file)) {
      for (String line : Files.readString(file, UTF_8).split("\n")) {
        remember(line);
      }
      rewrite();
    }
  }

  /** A torn last line is one that nobody was told of. */
  private void remember(String line) {
    try {
      Fields fields = Documents.json(line.getBytes(UTF_8));
      keep(
          new Task(AgentId.parse(fields.text("agent")), fields.text("task")),
          Trust.valueOf(fields.text("trust").toUpperCase(Locale.ROOT)));
    } catch (InvalidDocument | IllegalArgumentException torn) {
      // Left out.
    }
  }

  private void keep(Task task, Trust trust) {
    tasks.remove(task);
    if (tasks.size() >= TASKS_MAX) {
      tasks.remove(tasks.keySet().iterator().next());
    }
    tasks.put(task, trust);
  }

  private void rewrite() throws IOException {
    StringBuilder lines = new StringBuilder();
    tasks.forEach((task, trust) -> lines.append(line(task, trust)));
    WholeFile.write(file, lines.toString().getBytes(UTF_8));
  }

  private static String line(Task task, Trust trust) {
    return new String(
            Documents.write(
                Map.of("agent", task.agent.toString(), "task", task.name, "trust", trust.word())),
            UTF_8)
        + "\n";
  }

  @Override
  public synchronized Trust of(AgentId agent, @Nullable String task) {
    return tasks.getOrDefault(new Task(agent, task == null ? "" : task), Trust.HIGH);
  }

  @Override
  public synchronized void read(AgentId agent, @Nullable String name, Trust trust) {
    Task task = new Task(agent, name == null ? "" : name);
    if (trust.compareTo(tasks.getOrDefault(task, Trust.HIGH)) >= 0) {
      return;
    }
    try {
      Files.writeString(
          file, line(task, trust), UTF_8, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException unwritten) {
      // What nobody would remember must not be read.
      throw new UncheckedIOException(unwritten);
    }
    keep(task, trust);
  }
}
