package org.aionos.trust;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Two readers of one zip file must see one thing; here some are made that show each another. */
final class ArchiveTest {

  private static final int ENTRIES_MAX = 100;

  /** One entry of a zip file made by hand: what its header says, and what the directory says. */
  private static final class Part {
    final byte[] packed;
    String localName;
    String centralName;
    int localFlags;
    int centralFlags;
    int localMethod;
    int centralMethod;
    long localCrc;
    long centralCrc;
    int localPacked;
    int centralPacked;
    int localBytes;
    int centralBytes;
    int centralOffset;
    byte[] localExtra = {};
    byte[] centralExtra = {};
    byte[] comment = {};
    byte[] behind = {};

    /** As an honest packer writes it. */
    Part(String name, byte[] content, boolean deflated) {
      packed = deflated ? deflate(content) : content;
      localName = centralName = name;
      localMethod = centralMethod = deflated ? 8 : 0;
      CRC32 crc = new CRC32();
      crc.update(content);
      localCrc = centralCrc = crc.getValue();
      localPacked = centralPacked = packed.length;
      localBytes = centralBytes = content.length;
    }
  }

  /** A zip file of parts, and what stands around them. */
  private static final class Zip {
    final Part a = new Part("a.txt", "what the first reader sees".getBytes(UTF_8), true);
    final Part b = new Part("b.txt", "stored".getBytes(UTF_8), false);
    byte[] before = {};
    byte[] between = {};
    byte[] beforeEnd = {};
    byte[] after = {};
    int count = 2;
    int comment;
    int disk;

    byte[] bytes() {
      ByteBuffer zip = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
      zip.put(before);
      for (Part part : new Part[] {a, b}) {
        part.centralOffset += zip.position();
        local(zip, part);
      }
      zip.put(between);
      int central = zip.position();
      central(zip, a);
      central(zip, b);
      int length = zip.position() - central;
      zip.put(beforeEnd);
      zip.putInt(0x06054b50).putShort((short) disk).putShort((short) 0);
      zip.putShort((short) count).putShort((short) count);
      zip.putInt(length).putInt(central).putShort((short) comment);
      zip.put(after);
      return Arrays.copyOf(zip.array(), zip.position());
    }

    private static void local(ByteBuffer zip, Part part) {
      byte[] name = part.localName.getBytes(UTF_8);
      zip.putInt(0x04034b50).putShort((short) 20).putShort((short) part.localFlags);
      zip.putShort((short) part.localMethod).putInt(0);
      zip.putInt((int) part.localCrc).putInt(part.localPacked).putInt(part.localBytes);
      zip.putShort((short) name.length).putShort((short) part.localExtra.length);
      zip.put(name).put(part.localExtra).put(part.packed).put(part.behind);
    }

    private static void central(ByteBuffer zip, Part part) {
      byte[] name = part.centralName.getBytes(UTF_8);
      zip.putInt(0x02014b50).putShort((short) 20).putShort((short) 20);
      zip.putShort((short) part.centralFlags).putShort((short) part.centralMethod).putInt(0);
      zip.putInt((int) part.centralCrc).putInt(part.centralPacked).putInt(part.centralBytes);
      zip.putShort((short) name.length).putShort((short) part.centralExtra.length);
      zip.putShort((short) part.comment.length).putShort((short) 0).putShort((short) 0);
      zip.putInt(0).putInt(part.centralOffset);
      zip.put(name).put(part.centralExtra).put(part.comment);
    }
  }

  private static byte[] deflate(byte[] content) {
    Deflater deflater = new Deflater(9, true);
    deflater.setInput(content);
    deflater.finish();
    byte[] packed = new byte[content.length + 64];
    int length = deflater.deflate(packed);
    deflater.end();
    return Arrays.copyOf(packed, length);
  }

  private static byte[] made(Consumer<Zip> change) {
    Zip zip = new Zip();
    change.accept(zip);
    return zip.bytes();
  }

  private static Map<String, String> seen(byte[] bytes) throws ZipException {
    Archive archive = Archive.read(bytes, ENTRIES_MAX);
    Map<String, String> seen = new LinkedHashMap<>();
    for (Archive.Entry entry : archive.entries()) {
      archive.check(entry);
      seen.put(entry.name(), new String(archive.content(entry), UTF_8));
    }
    return seen;
  }

  private static void refuses(String why, Consumer<Zip> change) {
    byte[] bytes = made(change);
    assertThatThrownBy(() -> seen(bytes))
        .as(why)
        .isInstanceOf(ZipException.class)
        .hasMessageContaining(why);
  }

  @Example
  void reads_what_an_honest_packer_wrote() throws Exception {
    assertThat(seen(made(zip -> {})))
        .containsExactly(
            Map.entry("a.txt", "what the first reader sees"), Map.entry("b.txt", "stored"));
  }

  @Example
  void refuses_an_entry_of_which_header_and_directory_differ() {
    refuses("is one thing", zip -> zip.a.localName = "x.txt");
    refuses("is one thing", zip -> zip.a.centralName = "x.class");
    refuses("is one thing", zip -> zip.a.centralName = "ab.txt");
    refuses("is one thing", zip -> zip.a.localCrc++);
    refuses("is one thing", zip -> zip.a.localBytes++);
    refuses("is one thing", zip -> zip.a.centralCrc++);
    refuses("is one thing", zip -> zip.a.centralBytes++);
    refuses("is one thing", zip -> zip.a.localPacked--);
    refuses("is one thing", zip -> zip.a.localFlags = 1 << 11);
    refuses("is one thing", zip -> zip.a.localMethod = 0);
    refuses("is one thing", zip -> zip.a.centralMethod = 0);
  }

  @Example
  void refuses_sizes_and_checksums_that_both_views_lie_about() {
    refuses("checksum", zip -> zip.a.localCrc = ++zip.a.centralCrc);
    refuses("checksum", zip -> zip.b.localCrc = ++zip.b.centralCrc);
    refuses("more or less", zip -> zip.a.localBytes = ++zip.a.centralBytes);
    refuses("more or less", zip -> zip.a.localBytes = --zip.a.centralBytes);
    refuses("two sizes", zip -> zip.b.localBytes = ++zip.b.centralBytes);
    refuses(
        "more or less",
        zip -> {
          // A second stream behind the end of the first, which nobody unpacks.
          zip.a.behind = deflate("hidden".getBytes(UTF_8));
          zip.a.localPacked = zip.a.centralPacked += zip.a.behind.length;
        });
  }

  @Example
  void refuses_bytes_that_no_entry_accounts_for() {
    refuses("does not begin", zip -> zip.before = new byte[5]);
    refuses("between", zip -> zip.between = new byte[1]);
    refuses("does not begin", zip -> zip.a.behind = new byte[3]);
    refuses("before or behind", zip -> zip.beforeEnd = new byte[4]);
    refuses("does not end with", zip -> zip.after = new byte[1]);
    refuses("has a comment", zip -> zip.comment = 1);
    refuses("has a comment", zip -> zip.a.comment = new byte[] {'x'});
    refuses("several parts", zip -> zip.disk = 1);
    refuses("between its entries", zip -> zip.count = 1);
    refuses("damaged", zip -> zip.count = 3);
    // The whole of another archive in front, whose headers a streaming reader would take.
    refuses("does not begin", zip -> zip.before = made(other -> other.a.localName = "evil.class"));
  }

  @Example
  void refuses_two_entries_in_one_place_and_places_out_of_order() {
    refuses("does not begin", zip -> zip.b.centralOffset = -10);
    refuses("does not begin", zip -> zip.a.centralOffset = 7);
    byte[] overlapping =
        made(
            zip -> {
              zip.b.centralName = zip.a.centralName;
              zip.count = 2;
            });
    assertThatThrownBy(() -> seen(overlapping)).isInstanceOf(ZipException.class);
  }

  @Example
  void refuses_what_some_readers_know_and_others_do_not() {
    refuses("encrypted", zip -> zip.a.localFlags = zip.a.centralFlags = 1);
    refuses("unknown method", zip -> zip.a.localMethod = zip.a.centralMethod = 12);
    refuses("second name or size", zip -> zip.a.centralExtra = extra(0x7075, 6));
    refuses("second name or size", zip -> zip.a.localExtra = extra(0x0001, 8));
    refuses("damaged extra", zip -> zip.a.localExtra = new byte[] {1, 2, 9, 9});
    refuses("damaged extra", zip -> zip.a.localExtra = new byte[] {1});
    refuses("zip64", zip -> zip.a.localBytes = zip.a.centralBytes = -1);
    refuses("control characters", zip -> zip.a.localName = zip.a.centralName = "a\0.txt");
    refuses("unknown script", zip -> zip.a.localName = zip.a.centralName = "\u00e4.txt");
    refuses("hides its own end", zip -> zip.b.localFlags = zip.b.centralFlags = 8);
    refuses("folder with content", zip -> zip.b.localName = zip.b.centralName = "b/");
  }

  @Example
  void takes_harmless_extra_fields_and_names_in_utf_8() throws Exception {
    byte[] bytes =
        made(
            zip -> {
              zip.a.localExtra = extra(0x5455, 5);
              zip.a.localFlags = zip.a.centralFlags = 1 << 11;
              zip.a.localName = zip.a.centralName = "\u00e4.txt";
            });

    assertThat(seen(bytes)).containsKey("\u00e4.txt");
  }

  private static byte[] extra(int kind, int length) {
    byte[] extra = new byte[4 + length];
    extra[0] = (byte) kind;
    extra[1] = (byte) (kind >> 8);
    extra[2] = (byte) length;
    return extra;
  }

  @Example
  void refuses_more_entries_than_it_is_to_read_and_none() throws Exception {
    byte[] two = made(zip -> {});

    assertThatThrownBy(() -> Archive.read(two, 1)).hasMessageContaining("more than 1 entries");
    ByteArrayOutputStream none = new ByteArrayOutputStream();
    new ZipOutputStream(none).close();
    assertThatThrownBy(() -> seen(none.toByteArray())).hasMessageContaining("no entries");
  }

  /** The JDK writes sizes behind the entries; a descriptor that lies is refused like a header. */
  @Example
  void checks_the_descriptors_that_streaming_packers_write() throws Exception {
    byte[] honest = Jars.zip(Map.of("x.txt", "streamed".getBytes(UTF_8)));
    int descriptor = indexOf(honest, new byte[] {'P', 'K', 7, 8});

    assertThat(seen(honest)).containsEntry("x.txt", "streamed");
    for (int at = descriptor; at < descriptor + 16; at++) {
      byte[] lying = honest.clone();
      lying[at] ^= 1;
      assertThatThrownBy(() -> seen(lying)).isInstanceOf(ZipException.class);
    }
  }

  private static int indexOf(byte[] bytes, byte[] part) {
    for (int at = 0; at + part.length <= bytes.length; at++) {
      if (Arrays.equals(bytes, at, at + part.length, part, 0, part.length)) {
        return at;
      }
    }
    throw new AssertionError("not there");
  }

  /** Whatever one byte is changed to: if it is taken, the JDK's two readers agree with us on it. */
  @Property(tries = 2_000)
  void what_it_takes_all_readers_see_alike(
      @ForAll @IntRange(max = 1_000) int at, @ForAll byte value) throws Exception {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("one.txt", "the first of them".getBytes(UTF_8));
    entries.put("folder/two.txt", "and one more, and one more, and one more".getBytes(UTF_8));
    byte[] bytes = Jars.zip(entries);
    bytes[at % bytes.length] = value;
    Map<String, String> seen;
    try {
      seen = seen(bytes);
    } catch (ZipException refused) {
      return;
    }

    assertThat(streamed(bytes)).isEqualTo(seen);
    assertThat(byDirectory(bytes)).isEqualTo(seen);
  }

  private static Map<String, String> streamed(byte[] bytes) throws IOException {
    Map<String, String> seen = new LinkedHashMap<>();
    try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(bytes))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        seen.put(entry.getName(), new String(zip.readAllBytes(), UTF_8));
      }
    }
    return seen;
  }

  private static Map<String, String> byDirectory(byte[] bytes) throws IOException {
    Path file = Files.createTempFile("archive", ".zip");
    Files.write(file, bytes);
    Map<String, String> seen = new LinkedHashMap<>();
    try (ZipFile zip = new ZipFile(file.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        seen.put(entry.getName(), new String(zip.getInputStream(entry).readAllBytes(), UTF_8));
      }
    } finally {
      Files.delete(file);
    }
    return seen;
  }
}
