package org.aionos.kernel.memory;

import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Bytes by name, as S3 keeps them: whole objects, never changed in place. Safe for use by many
 * threads. Every method throws {@link StoreUnavailable} if the server does not answer in time.
 *
 * <p>A name is parts with {@code /} between, each of letters, digits, {@code . _ -} and with no dot
 * at its start; every method throws {@link IllegalArgumentException} for others, since none leads
 * out of a folder.
 */
@ConsumerType
public interface ObjectStore extends AutoCloseable {

  /** Writes an object whole; one of this name is replaced. */
  void put(String name, byte[] bytes);

  /** The object, or a part of it. */
  Optional<byte[]> get(String name);

  /**
   * @param from of the first byte
   * @param length how many, all within the object
   */
  Optional<byte[]> get(String name, long from, int length);

  /** Whether there was one is not said: S3 does not say it either. */
  void delete(String name);

  /**
   * Names that begin so, in order.
   *
   * @param after only names behind this one; null for all
   * @param limit at most so many, and 1,000
   */
  List<String> names(String prefix, @Nullable String after, int limit);

  @Override
  void close();
}
