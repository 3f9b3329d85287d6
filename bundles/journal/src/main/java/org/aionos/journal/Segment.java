package org.aionos.journal;

import java.io.EOFException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One file of the journal, and how much of it holds whole records. One thread appends; any number
 * read what {@link #length} covers.
 */
final class Segment {

  private static final Pattern NAME = Pattern.compile("journal-([0-9a-f]{16})\\.log");

  private final Path file;
  private final SegmentHeader header;
  private volatile long length;
  private volatile @Nullable BlockIndex index;
  private volatile @Nullable Instant firstTime;

  Segment(Path file, SegmentHeader header, long length) {
    this.file = file;
    this.header = header;
    this.length = length;
  }

  static Path fileIn(Path folder, long first) {
    return folder.resolve("journal-%016x.log".formatted(first));
  }

  /** The segment files of a folder, oldest first. */
  static List<Path> filesIn(Path folder) throws IOException {
    TreeMap<Long, Path> byFirst = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        firstByName(file).ifPresent(first -> byFirst.put(first, file));
      }
    }
    return new ArrayList<>(byFirst.values());
  }

  /** The sequence number in a segment's name; empty if a file is no segment. */
  static Optional<Long> firstByName(Path file) {
    Matcher name = NAME.matcher(file.getFileName().toString());
    return name.matches()
        ? Optional.of(Long.parseUnsignedLong(name.group(1), 16))
        : Optional.empty();
  }

  /** Reads the header of a segment file; empty if the file does not begin with one. */
  static Optional<SegmentHeader> headerOf(Path file) throws IOException {
    byte[] bytes = new byte[Format.HEADER_BYTES];
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "r")) {
      opened.readFully(bytes);
    } catch (EOFException tooShort) {
      return Optional.empty();
    }
    return SegmentHeader.parse(bytes);
  }

  SegmentHeader header() {
    return header;
  }

  Path file() {
    return file;
  }

  String name() {
    return file.getFileName().toString();
  }

  long first() {
    return header.first();
  }

  /** The hash that the first record is chained to. */
  String previous() {
    return header.previous();
  }

  /** Bytes up to the end of the last record written. */
  long length() {
    return length;
  }

  boolean isEmpty() {
    return length <= Format.HEADER_BYTES;
  }

  /** Notes that more records have been written, from {@code first} on. */
  void grew(long first, int bytes) {
    long end = length;
    BlockIndex known = index;
    if (known != null) {
      known.add(first, end);
    }
    length = end + bytes;
  }

  /** The index of a segment that is being written, kept up by {@link #grew} from here on. */
  void index(BlockIndex built) {
    index = built;
  }

  /** Where blocks of records begin; reads the whole segment when it is asked for first. */
  BlockIndex index() throws IOException {
    BlockIndex known = index;
    if (known == null) {
      known = BlockIndex.of(this);
      index = known;
    }
    return known;
  }

  /** When the first record was written; empty while there is none, or if it cannot be read. */
  Optional<Instant> firstTime() throws IOException {
    Instant known = firstTime;
    if (known == null && !isEmpty()) {
      known = readFirstTime();
      firstTime = known;
    }
    return Optional.ofNullable(known);
  }

  private @Nullable Instant readFirstTime() throws IOException {
    try (BlockReader blocks = new BlockReader(this)) {
      return blocks.first(first()) ? Payload.time(blocks.bytes(), blocks.offset()) : null;
    }
  }
}
