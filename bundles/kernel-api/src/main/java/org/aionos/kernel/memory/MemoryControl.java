package org.aionos.kernel.memory;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Memory as operators see it: all tenants, and what agents do not see. Every change is recorded.
 */
@ProviderType
public interface MemoryControl {

  /** What each tenant uses, the fullest first. A store that does not answer is left out. */
  List<Usage> usage();

  /**
   * @param bytesMax what it may have
   * @param collectedAt the bytes at which room is made; 0 for never
   */
  record Usage(String type, String tenant, long bytes, long bytesMax, long collectedAt) {}

  /** The types, and where each is kept. */
  List<Kept> kept();

  /**
   * @param isThere whether calls are answered
   * @param fault what is wrong now; empty for nothing
   */
  record Kept(String type, String driver, boolean isThere, String fault) {}

  /**
   * Items of one agent, also those that are hidden from it.
   *
   * @param text finds by it, of types that can; null for all
   * @param filter as in {@code memory.query}, JSON
   */
  List<Item> look(String type, AgentId agent, @Nullable String text, String filter, int limit);

  /**
   * Makes room now, down to the low watermark, also where the high one is not reached.
   *
   * @param tenant null for all
   * @param dry only says what would be taken away
   */
  List<Collected> collect(@Nullable String tenant, boolean dry);

  /**
   * @param first some of what was or would be taken away, the first to go first
   */
  record Collected(
      String type, String tenant, int items, long bytes, long bytesBefore, List<Place> first) {}

  /** Hides an item from its agent; empty if there is none. */
  Optional<Item> quarantine(String type, Place place);

  /** Shows it again. */
  Optional<Item> release(String type, Place place);

  /**
   * Writes a tenant's items as lines of JSON, one item each.
   *
   * @return how many
   */
  long export(String type, String tenant, OutputStream out) throws IOException;

  /**
   * Reads such lines. An item that is there already, of the same or a later version, stays.
   *
   * @return how many were written
   * @throws Refused {@code INVALID_FIELD} with the number of the line; those before it are written
   */
  long read(String type, InputStream in) throws IOException;

  /**
   * Copies all of a type to another driver's store, compares, and holds the type until the
   * configuration names that driver, or for a minute. Callers are answered meanwhile but for the
   * last step. Asked again after it was broken off, it copies what differs.
   *
   * @param driver as in {@code config/memory.yaml}, whose other settings of this type it takes
   * @param progress told now and then, in words
   */
  Migrated migrate(String type, String driver, Consumer<String> progress);

  /**
   * @param items how many both stores hold now
   * @param copied how many had to be written or taken away
   */
  record Migrated(long items, long copied) {}
}
