package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.items.ItemRows;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Place;
import org.jspecify.annotations.Nullable;

/**
 * Changes as lines of JSON. Each line has the number of its change; one that is not the last of its
 * change says how many follow, so that a change of which a crash left a part is known as none.
 */
final class SegmentLines {

  private static final String CHANGE = "change";
  private static final String REST = "rest";
  private static final String REMOVED = "removed";

  /**
   * @param item null if it was taken away
   * @param offset where it begins in its segment
   * @param length with the line break
   */
  record Line(long change, Place place, @Nullable Item item, long offset, int length) {}

  /**
   * @param end of the last whole change
   * @param isWhole whether there is nothing behind it
   */
  record Read(List<Line> lines, long end, boolean isWhole) {}

  private final long change;
  private final long offset;
  private final List<Line> lines = new ArrayList<>();
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  /**
   * @param offset where the first line will stand
   */
  private SegmentLines(long change, long offset) {
    this.change = change;
    this.offset = offset;
  }

  static SegmentLines of(long change, Map<Place, Optional<Item>> items, long offset) {
    SegmentLines lines = new SegmentLines(change, offset);
    int rest = items.size();
    for (Map.Entry<Place, Optional<Item>> each : items.entrySet()) {
      lines.add(each.getKey(), each.getValue().orElse(null), --rest);
    }
    return lines;
  }

  private void add(Place place, @Nullable Item item, int rest) {
    byte[] line;
    if (item == null) {
      Map<String, @Nullable Object> removal = new LinkedHashMap<>(ItemRows.place(place));
      removal.put(REMOVED, true);
      line = Documents.write(removal);
    } else {
      line = ItemRows.line(item);
    }
    int start = bytes.size();
    bytes.writeBytes(head(change, rest).getBytes(UTF_8));
    // Its own brace is in the head.
    bytes.write(line, 1, line.length - 1);
    bytes.write('\n');
    lines.add(new Line(change, place, item, offset + start, bytes.size() - start));
  }

  private static String head(long change, int rest) {
    return "{\"" + CHANGE + "\":" + change + (rest == 0 ? "" : ",\"" + REST + "\":" + rest) + ",";
  }

  List<Line> lines() {
    return lines;
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }

  /**
   * @param bytes of a segment, from {@code base} on
   */
  static Read read(byte[] bytes, long base) {
    List<Line> whole = new ArrayList<>();
    List<Line> pending = new ArrayList<>();
    long end = base;
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] != '\n') {
        continue;
      }
      try {
        Fields fields = Documents.json(Arrays.copyOfRange(bytes, start, i));
        pending.add(line(fields, base + start, i + 1 - start));
        if (fields.wholeNumber(REST, 0, 0, Integer.MAX_VALUE) == 0) {
          whole.addAll(pending);
          pending.clear();
          end = base + i + 1;
        }
      } catch (InvalidDocument | IllegalArgumentException damaged) {
        break;
      }
      start = i + 1;
    }
    return new Read(whole, end, end == base + bytes.length);
  }

  private static Line line(Fields fields, long offset, int length) throws InvalidDocument {
    boolean removed = fields.flag(REMOVED, false);
    return new Line(
        fields.wholeNumber(CHANGE, 0, 1, Long.MAX_VALUE),
        ItemRows.place(fields),
        removed ? null : ItemRows.ofLine(fields),
        offset,
        length);
  }

  static Item item(byte[] line) {
    try {
      return ItemRows.ofLine(line);
    } catch (InvalidDocument damaged) {
      throw new IllegalStateException("a line of episodic memory is damaged", damaged);
    }
  }

  /** These lines of a segment, at new places; each stands for itself. */
  static SegmentLines copy(byte[] segment, List<Line> wanted) {
    SegmentLines copy = new SegmentLines(0, 0);
    for (Line line : wanted) {
      int start = copy.bytes.size();
      byte[] old =
          Arrays.copyOfRange(segment, (int) line.offset(), (int) (line.offset() + line.length()));
      copy.bytes.writeBytes(head(line.change(), 0).getBytes(UTF_8));
      int body = bodyOf(old, line.change());
      copy.bytes.write(old, body, old.length - body);
      copy.lines.add(
          new Line(line.change(), line.place(), line.item(), start, copy.bytes.size() - start));
    }
    return copy;
  }

  /** Where the head ends, which may say that lines follow. */
  private static int bodyOf(byte[] line, long change) {
    int body = head(change, 0).length();
    String rest = "\"" + REST + "\":";
    if (new String(line, body, rest.length(), UTF_8).equals(rest)) {
      while (line[body] != ',') {
        body++;
      }
      body++;
    }
    return body;
  }
}
