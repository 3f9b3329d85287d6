package org.aionos.journal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.util.function.Predicate;
import org.aionos.files.WholeFile;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A file to which signed lines are added, durably, one by one. Safe for use by many threads. */
final class SignedFile {

  private static final Logger log = LoggerFactory.getLogger(SignedFile.class);

  private final Path file;
  private final SigningKey key;

  /** Bytes up to the end of the last whole line; what follows was torn. Guarded by this. */
  private long length;

  private @Nullable SignedLine last;

  SignedFile(Path file, SigningKey key) throws IOException {
    this.file = file;
    this.key = key;
    try (Lines lines = new Lines(file, Long.MAX_VALUE)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        last = SignedLine.parse(line).orElse(last);
      }
      length = lines.bytes();
      if (lines.torn()) {
        log.warn("journal line torn, cut off: file={} bytes={}", file.getFileName(), length);
        cut();
      }
    }
  }

  Path file() {
    return file;
  }

  synchronized long length() {
    return length;
  }

  /** The last line that has the form of one. */
  synchronized @Nullable SignedLine last() {
    return last;
  }

  synchronized void append(String body) throws IOException {
    SignedLine signed = SignedLine.of(body, key);
    byte[] line = (signed + "\n").getBytes(US_ASCII);
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
      // Where an earlier attempt broke off, its beginning is written over.
      opened.setLength(length);
      opened.seek(length);
      opened.write(line);
      opened.getFD().sync();
    }
    length += line.length;
    last = signed;
  }

  /** Drops the lines that are not wanted any more, all at once. */
  synchronized void keep(Predicate<SignedLine> wanted) throws IOException {
    StringBuilder kept = new StringBuilder();
    try (Lines lines = new Lines(file, length)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        if (SignedLine.parse(line).map(wanted::test).orElse(true)) {
          kept.append(line).append('\n');
        }
      }
    }
    WholeFile.write(file, kept.toString().getBytes(ISO_8859_1));
    length = kept.length();
  }

  private void cut() throws IOException {
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
      opened.setLength(length);
    }
  }
}
