package org.aionos.memory;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.BiPredicate;
import org.aionos.items.ItemRows;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.Place;
import org.jspecify.annotations.Nullable;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.DBOptions;
import org.rocksdb.LRUCache;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** Families of rows in one RocksDB, in the order of their keys. Threads may share it. */
final class Rows implements AutoCloseable {

  static final byte[] NONE = new byte[0];

  /** A page looks at no more rows than this; then it says where to go on. */
  private static final int LOOKED_AT_MAX = 20_000;

  /** Of blocks read: small, since the files are in the page cache of the host as well. */
  private static final long CACHE_BYTES = 16L << 20;

  private static final long WRITE_BUFFER_BYTES = 8L << 20;
  private static final long LOG_BYTES_MAX = 64L << 20;

  /**
   * @param next where to go on; null at the end
   */
  record Slice<T>(List<T> found, @Nullable String next) {}

  /** Something that RocksDB may fail at. */
  @FunctionalInterface
  interface Work {
    void run() throws RocksDBException;
  }

  final RocksDB database;
  final WriteOptions writing;
  private final DBOptions options;
  private final ColumnFamilyOptions familyOptions;
  private final List<ColumnFamilyHandle> families = new ArrayList<>();

  /**
   * @param sync whether a write survives a power loss too, at the price of a disk flush
   * @param names of families, besides the one that is always there
   * @throws UncheckedIOException if another process has it, or it is damaged
   */
  Rows(Path folder, boolean sync, String... names) {
    options =
        new DBOptions()
            .setCreateIfMissing(true)
            .setCreateMissingColumnFamilies(true)
            .setMaxTotalWalSize(LOG_BYTES_MAX)
            .setKeepLogFileNum(2)
            .setMaxBackgroundJobs(2);
    familyOptions =
        new ColumnFamilyOptions()
            .setWriteBufferSize(WRITE_BUFFER_BYTES)
            .setTableFormatConfig(
                new BlockBasedTableConfig().setBlockCache(new LRUCache(CACHE_BYTES)));
    writing = new WriteOptions().setSync(sync);
    List<ColumnFamilyDescriptor> wanted = new ArrayList<>();
    wanted.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, familyOptions));
    for (String name : names) {
      wanted.add(new ColumnFamilyDescriptor(name.getBytes(UTF_8), familyOptions));
    }
    try {
      Files.createDirectories(folder);
      database = RocksDB.open(options, folder.toString(), wanted, families);
    } catch (RocksDBException | IOException unusable) {
      throw new UncheckedIOException(
          new IOException("memory cannot be opened: " + folder, unusable));
    }
  }

  /**
   * @param number 0 for the one that is always there, then as they were named
   */
  ColumnFamilyHandle family(int number) {
    return families.get(number);
  }

  List<ColumnFamilyHandle> families() {
    return families;
  }

  byte @Nullable [] row(ColumnFamilyHandle family, byte[] key) {
    try {
      return database.get(family, key);
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  void write(WriteBatch batch) {
    run(() -> database.write(writing, batch));
  }

  static void run(Work work) {
    try {
      work.run();
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  static Refused failed(RocksDBException failed) {
    return new Refused(
        Problem.of(Code.KERNEL_FAULT, "memory cannot be read or written: " + failed.getMessage()));
  }

  /** Rows of keys that begin so, until one says false. */
  void each(ColumnFamilyHandle family, byte[] prefix, BiPredicate<byte[], byte[]> row) {
    try (RocksIterator rows = database.newIterator(family)) {
      rows.seek(prefix);
      while (rows.isValid()
          && startsWith(rows.key(), prefix)
          && row.test(rows.key(), rows.value())) {
        rows.next();
      }
      rows.status();
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  /**
   * A page of rows of keys that begin so; it may be short and still have a next.
   *
   * @param after where a page before said to go on; null for the first
   * @param read null for a row that is not wanted
   * @throws Refused {@code INVALID_FIELD} for an {@code after} of other keys
   */
  <T> Slice<T> slice(
      ColumnFamilyHandle family,
      String whose,
      @Nullable String after,
      int limit,
      BiFunction<byte[], byte[], @Nullable T> read) {
    byte[] prefix = whose.getBytes(UTF_8);
    List<T> found = new ArrayList<>();
    try (RocksIterator rows = database.newIterator(family)) {
      rows.seek(after == null ? prefix : from(after, prefix));
      for (int looked = 0; rows.isValid() && startsWith(rows.key(), prefix); rows.next()) {
        if (found.size() == limit || looked++ == LOOKED_AT_MAX) {
          return new Slice<>(
              found, Base64.getUrlEncoder().withoutPadding().encodeToString(rows.key()));
        }
        T wanted = read.apply(rows.key(), rows.value());
        if (wanted != null) {
          found.add(wanted);
        }
      }
      rows.status();
      return new Slice<>(found, null);
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  private static byte[] from(String after, byte[] prefix) {
    try {
      byte[] key = Base64.getUrlDecoder().decode(after);
      if (startsWith(key, prefix)) {
        return key;
      }
    } catch (IllegalArgumentException malformed) {
      // Refused below, like the next page of another agent.
    }
    throw new Refused(
        Problem.at("/params/after", Code.INVALID_FIELD, "must be what a page said as next"));
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  // --- expiry ---------------------------------------------------------------------------------

  /** In the order of the times. */
  static byte[] expiryKey(Instant at, byte[] key) {
    return ByteBuffer.allocate(Long.BYTES + key.length).putLong(at.toEpochMilli()).put(key).array();
  }

  /** Places of a family of expiry keys, the earliest first, that have expired. */
  List<Place> expired(ColumnFamilyHandle expiries, Instant now, int max) {
    List<Place> expired = new ArrayList<>();
    byte[] end = number(now.toEpochMilli());
    each(
        expiries,
        NONE,
        (key, row) -> {
          if (expired.size() == max
              || Arrays.compareUnsigned(key, 0, Long.BYTES, end, 0, Long.BYTES) > 0) {
            return false;
          }
          expired.add(ItemRows.place(Arrays.copyOfRange(key, Long.BYTES, key.length)));
          return true;
        });
    return expired;
  }

  static byte[] number(long number) {
    return ByteBuffer.allocate(Long.BYTES).putLong(number).array();
  }

  @Override
  public void close() {
    families.forEach(ColumnFamilyHandle::close);
    database.close();
    writing.close();
    familyOptions.close();
    options.close();
  }
}
