package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.scheduling.Ledger.Keeper;
import org.aionos.scheduling.Ledger.Kind;
import org.aionos.scheduling.Ledger.Level;
import org.aionos.scheduling.Ledger.Mark;
import org.aionos.scheduling.Ledger.Scope;
import org.jspecify.annotations.Nullable;

/**
 * How far budgets are used up, on disk: a line of JSON for each mark, the last one of an account
 * holds. Written anew as a whole when it has grown. Used by one thread at a time: the ledger's lock
 * is held.
 */
final class BudgetFile implements Keeper, AutoCloseable {

  private static final long BYTES_MAX = 4 << 20;

  private final Path file;
  private final Supplier<List<Mark>> whole;

  /** Not a channel: an interrupt, which every call may get, would close that for all others. */
  private @Nullable OutputStream out;

  /** What of the file is whole lines. */
  private long bytes;

  /** Whether there may be more in the file than that: a line that was cut short. */
  private boolean torn = true;

  /**
   * @param whole what is to stand in the file, when it is written anew
   */
  BudgetFile(Path file, Supplier<List<Mark>> whole) {
    this.file = file;
    this.whole = whole;
    this.bytes = wholeBytes(file);
  }

  /**
   * What was kept. A last line that was cut short by a crash had not been answered.
   *
   * @throws IllegalStateException if the file is damaged otherwise
   */
  static List<Mark> read(Path file) {
    List<Mark> marks = new ArrayList<>();
    try {
      String text = new String(Files.readAllBytes(file), UTF_8);
      int end = text.lastIndexOf('\n');
      for (String line : text.substring(0, Math.max(0, end)).split("\n")) {
        if (!line.isEmpty()) {
          marks.add(mark(Documents.json(line.getBytes(UTF_8))));
        }
      }
      return marks;
    } catch (NoSuchFileException firstTime) {
      return marks;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    } catch (InvalidDocument | IllegalArgumentException damaged) {
      throw new IllegalStateException(file + " is damaged", damaged);
    }
  }

  private static Mark mark(Fields line) throws InvalidDocument {
    return new Mark(
        new Scope(Level.valueOf(line.text("level")), line.text("name")),
        Kind.valueOf(line.text("kind")),
        line.wholeNumber("window_ms", 0, 0, Long.MAX_VALUE),
        line.wholeNumber("window", 0, 0, Long.MAX_VALUE),
        line.wholeNumber("used", 0, 0, Long.MAX_VALUE));
  }

  @Override
  public void keep(List<Mark> marks) {
    byte[] lines = lines(marks);
    if (lines.length == 0) {
      return;
    }
    try {
      if (bytes + lines.length > BYTES_MAX) {
        writeAnew(whole.get());
      }
      OutputStream to = opened();
      torn = true;
      to.write(lines);
      torn = false;
      bytes += lines.length;
    } catch (IOException unwritten) {
      throw new UncheckedIOException(unwritten);
    }
  }

  /** The end of the last whole line: what is written after half a line could not be read. */
  private OutputStream opened() throws IOException {
    OutputStream open = out;
    if (open != null && !torn) {
      return open;
    }
    close();
    OutputStream anew = new FileOutputStream(file.toFile(), true);
    out = anew;
    try (FileChannel channel = FileChannel.open(file, WRITE)) {
      channel.truncate(bytes);
    }
    torn = false;
    return anew;
  }

  /** How long the whole lines of a file are. */
  private static long wholeBytes(Path file) {
    try {
      byte[] there = Files.readAllBytes(file);
      int end = there.length;
      while (end > 0 && there[end - 1] != '\n') {
        end--;
      }
      return end;
    } catch (NoSuchFileException firstTime) {
      return 0;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** Puts these marks in the place of all before. */
  void writeAnew(List<Mark> marks) throws IOException {
    close();
    byte[] lines = lines(marks);
    WholeFile.write(file, lines);
    bytes = lines.length;
    torn = false;
  }

  /** Tasks are counted by their own logs. */
  private static byte[] lines(List<Mark> marks) {
    StringBuilder lines = new StringBuilder();
    for (Mark mark : marks) {
      if (mark.scope().level() != Level.TASK) {
        Map<String, @Nullable Object> line = new LinkedHashMap<>();
        line.put("level", mark.scope().level().name());
        line.put("name", mark.scope().name());
        line.put("kind", mark.kind().name());
        line.put("window_ms", mark.windowMillis());
        line.put("window", mark.window());
        line.put("used", mark.used());
        lines.append(new String(Documents.write(line), UTF_8)).append('\n');
      }
    }
    return lines.toString().getBytes(UTF_8);
  }

  @Override
  public void close() {
    OutputStream open = out;
    out = null;
    if (open != null) {
      try {
        open.close();
      } catch (IOException unwritten) {
        throw new UncheckedIOException(unwritten);
      }
    }
  }
}
