package org.aionos.policy;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file of lines that only grows, until it is written anew. Each line is its CRC-32C in eight hex
 * digits, a space and a JSON object. A line that returned is on disk; one that a crash has torn is
 * cut off. Not for many threads.
 */
final class ApprovalLog implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(ApprovalLog.class);

  private static final int CRC_LENGTH = 8;

  private final Path file;
  private final Disk disk;
  private FileChannel channel;
  private int lines;

  /** What stands in the file, in order. */
  record Opened(ApprovalLog log, List<Fields> lines) {}

  private ApprovalLog(Path file, Disk disk, FileChannel channel, int lines) {
    this.file = file;
    this.disk = disk;
    this.channel = channel;
    this.lines = lines;
  }

  static Opened open(Path file, Disk disk) throws IOException {
    List<Fields> lines = new ArrayList<>();
    byte[] all = Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
    int whole = 0;
    for (int end = next(all, 0); end >= 0; end = next(all, whole)) {
      Fields line = read(new String(all, whole, end - whole, UTF_8));
      if (line == null) {
        // Torn by a crash it would have no end. What comes after may say that an approval before
        // was used, so none of them holds.
        log.error("approvals are damaged and all forgotten: file={}", file);
        lines.clear();
        whole = 0;
        all = new byte[0];
        break;
      }
      lines.add(line);
      whole = end + 1;
    }
    if (whole < all.length) {
      log.warn("a torn end is cut off: file={} bytes={}", file, all.length - whole);
    }
    FileChannel channel = FileChannel.open(file, CREATE, WRITE);
    channel.truncate(whole);
    channel.position(whole);
    return new Opened(new ApprovalLog(file, disk, channel, lines.size()), lines);
  }

  private static int next(byte[] all, int from) {
    for (int i = from; i < all.length; i++) {
      if (all[i] == '\n') {
        return i;
      }
    }
    return -1;
  }

  private static @Nullable Fields read(String line) {
    if (line.length() <= CRC_LENGTH || line.charAt(CRC_LENGTH) != ' ') {
      return null;
    }
    byte[] json = line.substring(CRC_LENGTH + 1).getBytes(UTF_8);
    try {
      return crc(json).equals(line.substring(0, CRC_LENGTH)) ? Documents.kept(json) : null;
    } catch (InvalidDocument damaged) {
      return null;
    }
  }

  private static String crc(byte[] json) {
    CRC32C crc = new CRC32C();
    crc.update(json);
    return String.format(Locale.ROOT, "%08x", crc.getValue());
  }

  private static byte[] line(Map<String, ?> values) {
    byte[] json = Documents.write(values);
    return (crc(json) + " " + new String(json, UTF_8) + "\n").getBytes(UTF_8);
  }

  void append(Map<String, ?> values) throws IOException {
    long before = channel.position();
    try {
      write(channel, line(values));
      channel.force(false);
      lines++;
    } catch (IOException failed) {
      // Half a line would hide all that come after it.
      channel.truncate(before);
      channel.position(before);
      throw failed;
    }
  }

  private static void write(FileChannel channel, byte[] bytes) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(bytes);
    while (left.hasRemaining()) {
      channel.write(left);
    }
  }

  int lines() {
    return lines;
  }

  /** Leaves nothing but these. */
  void rewrite(List<Map<String, @Nullable Object>> all) throws IOException {
    StringBuilder text = new StringBuilder();
    all.forEach(each -> text.append(new String(line(each), UTF_8)));
    disk.write(file, text.toString().getBytes(UTF_8));
    channel.close();
    channel = FileChannel.open(file, WRITE);
    channel.position(channel.size());
    lines = all.size();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
