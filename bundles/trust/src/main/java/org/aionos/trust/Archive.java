package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a zip file that every reader sees alike.
 *
 * <p>A zip file says everything twice: in the header before each entry, which streaming readers
 * use, and in the central directory at its end, which the framework uses. Where the two differ, or
 * bytes lie that neither accounts for, one reader can be shown another archive than the next. So
 * both are walked side by side, each entry must begin where the one before ended, and whatever is
 * not accounted for is refused, as are the rarer parts of the format: several disks, encryption,
 * zip64, comments. Nothing that makes jars writes them at these sizes.
 */
final class Archive {

  private static final int LOCAL = 0x04034b50;
  private static final int CENTRAL = 0x02014b50;
  private static final int END = 0x06054b50;
  private static final int DESCRIPTOR = 0x08074b50;
  private static final int END_LOCATOR_64 = 0x07064b50;
  private static final int LOCAL_BYTES = 30;
  private static final int CENTRAL_BYTES = 46;
  private static final int END_BYTES = 22;
  private static final int END_LOCATOR_64_BYTES = 20;

  private static final int STORED = 0;
  private static final int DEFLATED = 8;

  /** Sizes and checksum follow the entry's bytes. */
  private static final int FLAG_DESCRIPTOR = 1 << 3;

  private static final int FLAG_UTF8 = 1 << 11;

  /** These, and the two bits that only tell how hard the packer tried. */
  private static final int FLAGS_KNOWN = FLAG_DESCRIPTOR | FLAG_UTF8 | 0b110;

  /** Each makes some readers see other sizes, or another name, than the rest. */
  private static final List<Integer> EXTRAS_REFUSED = List.of(0x0001, 0x7075);

  private final byte[] bytes;
  private final ByteBuffer zip;
  private final List<Entry> entries = new ArrayList<>();

  /**
   * @param packedBytes what it takes in the archive
   * @param offset where its bytes begin
   */
  record Entry(String name, int method, long crc, int packedBytes, int bytes, int offset) {}

  /** Where reading is; both grow until they meet the end of what they read. */
  private int local;

  private int central;

  private Archive(byte[] bytes) {
    this.bytes = bytes;
    this.zip = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads the directory. Unpacks nothing.
   *
   * @throws ZipException with the reason
   */
  static Archive read(byte[] bytes, int entriesMax) throws ZipException {
    Archive archive = new Archive(bytes);
    try {
      archive.readDirectory(entriesMax);
    } catch (IndexOutOfBoundsException cutOff) {
      throw new ZipException("it is cut off");
    }
    return archive;
  }

  /** In the order in which they stand. */
  List<Entry> entries() {
    return entries;
  }

  private void readDirectory(int entriesMax) throws ZipException {
    int end = bytes.length - END_BYTES;
    check(end >= 0 && zip.getInt(end) == END, "it does not end with a zip directory");
    int count = u16(end + 10);
    central = u31(end + 16);
    check(u16(end + 4) == 0 && u16(end + 6) == 0 && u16(end + 8) == count, "it has several parts");
    check(u16(end + 20) == 0, "it has a comment");
    check(count > 0, "it has no entries");
    check(count <= entriesMax, "it has more than " + entriesMax + " entries");
    check(central + (long) u31(end + 12) == end, "bytes lie before or behind its directory");
    check(
        end < END_LOCATOR_64_BYTES || zip.getInt(end - END_LOCATOR_64_BYTES) != END_LOCATOR_64,
        "it is a zip64 file");
    int localEnd = central;
    for (int i = 0; i < count; i++) {
      entries.add(readEntry());
    }
    check(local == localEnd, "bytes lie between its entries and its directory");
    check(central == end, "its directory has more entries than it says");
  }

  private Entry readEntry() throws ZipException {
    int at = central;
    check(zip.getInt(at) == CENTRAL, "its directory is damaged");
    int flags = u16(at + 8);
    int method = u16(at + 10);
    int nameBytes = u16(at + 28);
    int extraBytes = u16(at + 30);
    String name = name(at + CENTRAL_BYTES, nameBytes, flags);
    check((flags & ~FLAGS_KNOWN) == 0, name + " is encrypted, or uses an unknown option");
    check(method == STORED || method == DEFLATED, name + " is packed by an unknown method");
    check(u16(at + 32) == 0 && u16(at + 34) == 0, name + " has a comment, or is on another disk");
    checkExtra(name, at + CENTRAL_BYTES + nameBytes, extraBytes);
    Entry entry =
        new Entry(
            name,
            method,
            u32(at + 16),
            u31(at + 20),
            u31(at + 24),
            local + LOCAL_BYTES + nameBytes + u16(local + 28));
    check(u31(at + 42) == local, name + " does not begin where the entry before it ends");
    checkLocal(entry, flags, Arrays.copyOfRange(bytes, at + 46, at + 46 + nameBytes));
    check(method == DEFLATED || entry.packedBytes == entry.bytes, name + " has two sizes");
    check(!name.endsWith("/") || entry.bytes == 0, name + " is a folder with content");
    central = at + CENTRAL_BYTES + nameBytes + extraBytes;
    return entry;
  }

  /** The entry's own header must say the same; moves on to the next. */
  private void checkLocal(Entry entry, int flags, byte[] name) throws ZipException {
    int at = local;
    String unlike = entry.name + " is one thing in the directory and another in its header";
    check(zip.getInt(at) == LOCAL, unlike);
    check(u16(at + 6) == flags && u16(at + 8) == entry.method, unlike);
    check(u16(at + 26) == name.length, unlike);
    int nameAt = at + LOCAL_BYTES;
    check(Arrays.equals(bytes, nameAt, nameAt + name.length, name, 0, name.length), unlike);
    checkExtra(entry.name, nameAt + name.length, u16(at + 28));
    boolean described = (flags & FLAG_DESCRIPTOR) != 0;
    check(!described || entry.method == DEFLATED, entry.name + " hides its own end");
    boolean sizesFollow = described && u32(at + 14) == 0 && u32(at + 18) == 0 && u32(at + 22) == 0;
    check(sizesFollow || says(entry, at + 14), unlike);
    long end = entry.offset + (long) entry.packedBytes;
    check(end <= bytes.length, "it is cut off");
    local = (int) end;
    if (described) {
      boolean marked = zip.getInt(local) == DESCRIPTOR;
      check(says(entry, marked ? local + 4 : local), unlike);
      local += marked ? 16 : 12;
    }
  }

  /** Whether checksum and sizes stand there. */
  private boolean says(Entry entry, int at) {
    return u32(at) == entry.crc && u32(at + 4) == entry.packedBytes && u32(at + 8) == entry.bytes;
  }

  private void checkExtra(String name, int at, int length) throws ZipException {
    int end = at + length;
    int next = at;
    while (next < end) {
      check(end - next >= 4, name + " has a damaged extra field");
      check(!EXTRAS_REFUSED.contains(u16(next)), name + " has a second name or size");
      next += 4 + u16(next + 2);
    }
    check(next == end, name + " has a damaged extra field");
  }

  private String name(int at, int length, int flags) throws ZipException {
    check(length > 0 && at + length <= bytes.length, "an entry has no name");
    try {
      String name = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, at, length)).toString();
      boolean plain = name.chars().allMatch(c -> c >= ' ' && c != 0x7f);
      check(plain, "the name of an entry has control characters");
      boolean ascii = name.length() == length;
      check(ascii || (flags & FLAG_UTF8) != 0, "the name of an entry is in an unknown script");
      return name;
    } catch (CharacterCodingException notUtf8) {
      throw new ZipException("the name of an entry is not UTF-8");
    }
  }

  /** The bytes of an entry, which are as many, and have the checksum, that it says. */
  byte[] content(Entry entry) throws ZipException {
    ByteArrayOutputStream content = new ByteArrayOutputStream(entry.bytes);
    unpack(entry, content);
    return content.toByteArray();
  }

  /** Checks an entry without keeping it: many small ones may hold a lot. */
  void check(Entry entry) throws ZipException {
    unpack(entry, null);
  }

  private void unpack(Entry entry, @Nullable ByteArrayOutputStream into) throws ZipException {
    CRC32 crc = new CRC32();
    if (entry.method == STORED) {
      crc.update(bytes, entry.offset, entry.bytes);
      if (into != null) {
        into.write(bytes, entry.offset, entry.bytes);
      }
    } else {
      inflate(entry, crc, into);
    }
    check(crc.getValue() == entry.crc, entry.name + " has a wrong checksum");
  }

  private void inflate(Entry entry, CRC32 crc, @Nullable ByteArrayOutputStream into)
      throws ZipException {
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(bytes, entry.offset, entry.packedBytes);
      byte[] buffer = new byte[16 << 10];
      while (!inflater.finished()) {
        int count = inflater.inflate(buffer);
        boolean stuck = count == 0 && !inflater.finished();
        // Looked at with every buffer, so that no more is unpacked than the entry admitted to.
        check(!stuck && inflater.getBytesWritten() <= entry.bytes, unpacksOtherwise(entry));
        crc.update(buffer, 0, count);
        if (into != null) {
          into.write(buffer, 0, count);
        }
      }
      boolean whole =
          inflater.getBytesWritten() == entry.bytes && inflater.getBytesRead() == entry.packedBytes;
      check(whole, unpacksOtherwise(entry));
    } catch (DataFormatException damaged) {
      throw new ZipException(entry.name + " is damaged");
    } finally {
      inflater.end();
    }
  }

  private static String unpacksOtherwise(Entry entry) {
    return entry.name + " unpacks to more or less than it says";
  }

  private int u16(int at) {
    return zip.getShort(at) & 0xffff;
  }

  private long u32(int at) {
    return zip.getInt(at) & 0xffff_ffffL;
  }

  /** A size or place; beyond 2 GiB there are none here. */
  private int u31(int at) throws ZipException {
    int value = zip.getInt(at);
    check(value >= 0, "it is a zip64 file");
    return value;
  }

  private static void check(boolean holds, String otherwise) throws ZipException {
    if (!holds) {
      throw new ZipException(otherwise);
    }
  }
}
