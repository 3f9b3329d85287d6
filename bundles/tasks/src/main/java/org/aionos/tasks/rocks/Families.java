package org.aionos.tasks.rocks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiPredicate;
import org.aionos.kernel.memory.StoreUnavailable;
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

/**
 * Families of rows in one RocksDB, in the order of their keys. Threads may share it; nobody may use
 * it once it is closed, for that would take the process down.
 */
final class Families implements AutoCloseable {

  /** Of blocks read: small, since the files are in the page cache of the host as well. */
  private static final long CACHE_BYTES = 16L << 20;

  private static final long WRITE_BUFFER_BYTES = 8L << 20;

  /** What is read again at most when the store is opened after a crash. */
  private static final long LOG_BYTES_MAX = 64L << 20;

  /** Something that RocksDB may fail at. */
  @FunctionalInterface
  interface Fill {
    void into(WriteBatch batch) throws RocksDBException;
  }

  private final RocksDB database;
  private final WriteOptions writing;
  private final DBOptions options;
  private final ColumnFamilyOptions familyOptions;
  private final LRUCache cache = new LRUCache(CACHE_BYTES);
  private final List<ColumnFamilyHandle> families = new ArrayList<>();

  /**
   * @param sync whether a write survives a power loss too, at the price of a disk flush
   * @param names of families
   * @throws UncheckedIOException if another process has it, or it is damaged
   */
  Families(Path folder, boolean sync, String... names) {
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
            .setTableFormatConfig(new BlockBasedTableConfig().setBlockCache(cache));
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
      closeOptions();
      throw new UncheckedIOException(
          new IOException("tasks cannot be opened: " + folder, unusable));
    }
  }

  /**
   * @param number of the family as they were named, from 0
   */
  ColumnFamilyHandle family(int number) {
    return families.get(number + 1);
  }

  byte @Nullable [] get(ColumnFamilyHandle family, byte[] key) {
    try {
      return database.get(family, key);
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  /** Of each key its row, null where there is none. */
  List<byte[]> get(ColumnFamilyHandle family, List<byte[]> keys) {
    if (keys.isEmpty()) {
      return List.of();
    }
    try {
      List<ColumnFamilyHandle> same = new ArrayList<>();
      keys.forEach(each -> same.add(family));
      return database.multiGetAsList(same, keys);
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  /** Writes all of it or nothing. */
  void write(Fill fill) {
    try (WriteBatch batch = new WriteBatch()) {
      fill.into(batch);
      database.write(writing, batch);
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
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
   * Rows of keys that begin so, backwards, until one says false.
   *
   * @param before where to begin, without it; null for the very end
   */
  void eachBackwards(
      ColumnFamilyHandle family,
      byte[] prefix,
      byte @Nullable [] before,
      BiPredicate<byte[], byte[]> row) {
    try (RocksIterator rows = database.newIterator(family)) {
      byte[] end = before == null ? behind(prefix) : before;
      if (end.length == 0) {
        rows.seekToLast();
      } else {
        rows.seekForPrev(end);
      }
      if (rows.isValid() && Arrays.equals(rows.key(), end)) {
        rows.prev();
      }
      while (rows.isValid()
          && startsWith(rows.key(), prefix)
          && row.test(rows.key(), rows.value())) {
        rows.prev();
      }
      rows.status();
    } catch (RocksDBException failed) {
      throw failed(failed);
    }
  }

  /** The first key behind all that begin so; all prefixes here end in a zero. */
  private static byte[] behind(byte[] prefix) {
    byte[] behind = prefix.clone();
    if (behind.length > 0) {
      behind[behind.length - 1]++;
    }
    return behind;
  }

  private static boolean startsWith(byte[] key, byte[] prefix) {
    return key.length >= prefix.length
        && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
  }

  static byte[] joined(byte[] prefix, long number) {
    return ByteBuffer.allocate(prefix.length + Long.BYTES).put(prefix).putLong(number).array();
  }

  /** The number at the end of a key. */
  static long number(byte[] key) {
    return ByteBuffer.wrap(key).getLong(key.length - Long.BYTES);
  }

  private static StoreUnavailable failed(RocksDBException failed) {
    return new StoreUnavailable("the store of tasks cannot be read or written", failed);
  }

  @Override
  public void close() {
    families.forEach(ColumnFamilyHandle::close);
    database.close();
    closeOptions();
  }

  private void closeOptions() {
    writing.close();
    familyOptions.close();
    cache.close();
    options.close();
  }
}
