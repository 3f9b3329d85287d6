package org.aionos.wasm;

import io.roastedroot.zerofs.Configuration;
import io.roastedroot.zerofs.ZeroFs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import run.endive.runtime.HostFunction;
import run.endive.runtime.WasmFunctionHandle;
import run.endive.wasm.WasmModule;

/**
 * The files of one call: a folder in memory, empty when the call begins and gone with it. There is
 * no way from it to a file of the host, because it knows of none.
 *
 * <p>Its bytes are bounded by the file system. What else it keeps on our heap, for each file,
 * folder and open file, is bounded by how often a call may open or make one.
 */
final class Scratch implements AutoCloseable {

  /** As the tool sees it. */
  static final String FOLDER = "/tmp";

  /** Of the file system, which counts files in blocks. */
  private static final int BLOCK_BYTES = 4_096;

  /** Each keeps about a kilobyte of our heap. */
  private static final int OPENED_MAX = 2_000;

  private static final int PATH_LENGTH_MAX = 4_096;

  /** The functions of WASI that open or make something, and where the length of its path stands. */
  private static final String OPEN = "path_open";

  private static final int OPEN_LENGTH_AT = 3;
  private static final String MAKE_FOLDER = "path_create_directory";
  private static final int MAKE_FOLDER_LENGTH_AT = 2;

  /** Links are of no use to a call alone, and have broken more than one sandbox. */
  private static final Set<String> REFUSED = Set.of("path_link", "path_symlink");

  /**
   * The functions that go to a place in a file, and where it stands. The file system miscounts
   * places beyond what an index of blocks can say; no file is so large here.
   */
  private static final Map<String, Integer> PLACE_AT =
      Map.of(
          "fd_pread", 3,
          "fd_pwrite", 3,
          "fd_seek", 1,
          "fd_filestat_set_size", 1,
          "fd_allocate", 1);

  private static final long PLACE_MAX = 1L << 32;

  private static final long[] FILE_TOO_LARGE = {22};
  private static final long[] NAME_TOO_LONG = {37};
  private static final long[] NO_SPACE = {51};
  private static final long[] NOT_PERMITTED = {63};

  private static final Configuration UNIX =
      Configuration.unix().toBuilder().setWorkingDirectory(FOLDER).build();

  private final FileSystem files;
  private final Semaphore pagesLeft;
  private final int pages;
  private int opened;

  /**
   * @param pagesLeft of all calls in flight; what these files may grow to is taken of it at once
   * @throws Refused {@code KERNEL_BUSY} if the calls in flight have left too few
   */
  Scratch(int bytesMax, Semaphore pagesLeft) {
    this.pagesLeft = pagesLeft;
    this.pages = BoundedMemory.pagesIn(bytesMax);
    if (!pagesLeft.tryAcquire(pages)) {
      throw new Refused(
          Code.KERNEL_BUSY,
          "the calls in flight use all the memory that wasm tools have (wasm.memories_bytes_max)");
    }
    this.files =
        ZeroFs.newFileSystem(
            UNIX.toBuilder()
                .setBlockSize(BLOCK_BYTES)
                .setMaxSize(bytesMax)
                .setMaxCacheSize(0)
                .build());
  }

  /** Whether a module opens files at all; most do not, and need none. */
  static boolean isWantedBy(WasmModule module) {
    return module.importSection().stream()
        .anyMatch(
            wanted -> wanted.module().equals(CheckedModule.WASI) && wanted.name().equals(OPEN));
  }

  Path folder() {
    try {
      return Files.createDirectories(files.getPath(FOLDER));
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /** The functions of WASI, of which those that open and make are counted. */
  HostFunction[] bounded(HostFunction[] functions) {
    return Arrays.stream(functions).map(this::bounded).toArray(HostFunction[]::new);
  }

  private HostFunction bounded(HostFunction function) {
    return new HostFunction(
        function.module(),
        function.name(),
        function.functionType(),
        bounded(function.name(), function.handle()));
  }

  private WasmFunctionHandle bounded(String name, WasmFunctionHandle handle) {
    if (REFUSED.contains(name)) {
      return (instance, arguments) -> NOT_PERMITTED;
    }
    Integer placeAt = PLACE_AT.get(name);
    if (placeAt != null) {
      return (instance, arguments) ->
          arguments[placeAt] > PLACE_MAX || arguments[placeAt] < -PLACE_MAX
              ? FILE_TOO_LARGE
              : handle.apply(instance, arguments);
    }
    return switch (name) {
      case OPEN -> counted(handle, OPEN_LENGTH_AT);
      case MAKE_FOLDER -> counted(handle, MAKE_FOLDER_LENGTH_AT);
      default -> handle;
    };
  }

  private WasmFunctionHandle counted(WasmFunctionHandle handle, int lengthAt) {
    return (instance, arguments) -> {
      if (Integer.compareUnsigned((int) arguments[lengthAt], PATH_LENGTH_MAX) > 0) {
        return NAME_TOO_LONG;
      }
      return opened++ < OPENED_MAX ? handle.apply(instance, arguments) : NO_SPACE;
    };
  }

  @Override
  public void close() {
    try {
      files.close();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    } finally {
      pagesLeft.release(pages);
    }
  }
}
