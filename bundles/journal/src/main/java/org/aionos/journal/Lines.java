package org.aionos.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** Reads a file line by line, one char a byte, and tells a line from the beginning of one. */
final class Lines implements AutoCloseable {

  private final InputStream in;
  private long left;
  private long whole;
  private boolean torn;

  /**
   * A file that is not there counts as empty.
   *
   * @param limit bytes to read; what follows counts as not there
   */
  Lines(Path file, long limit) throws IOException {
    this.in = opened(file);
    this.left = limit;
  }

  /** The next line that has an end; null if there is none. */
  @Nullable String next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    while (true) {
      int read = left-- > 0 ? in.read() : -1;
      if (read < 0) {
        torn = line.size() > 0;
        return null;
      }
      if (read == '\n') {
        whole += line.size() + 1;
        return line.toString(ISO_8859_1);
      }
      line.write(read);
    }
  }

  /** Whether the beginning of a line stood behind the last whole one. */
  boolean torn() {
    return torn;
  }

  /** How many bytes the lines read so far take up. */
  long bytes() {
    return whole;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private static InputStream opened(Path file) throws IOException {
    return Files.notExists(file)
        ? InputStream.nullInputStream()
        : new BufferedInputStream(new FileInputStream(file.toFile()));
  }
}
