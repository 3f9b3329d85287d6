package org.aionos.wasm;

import java.util.Set;
import org.aionos.kernel.Refused;
import run.endive.wasm.Parser;
import run.endive.wasm.WasmEngineException;
import run.endive.wasm.WasmModule;
import run.endive.wasm.types.AnnotatedInstruction;
import run.endive.wasm.types.ExternalType;
import run.endive.wasm.types.Import;
import run.endive.wasm.types.MemoryLimits;
import run.endive.wasm.types.MemorySection;

/**
 * A module whose use of the kernel's heap can be bounded. Linear memory and tables can; objects of
 * the garbage-collection and exception proposals, which live on our heap and are counted by nobody,
 * cannot, nor can threads that wait for each other. Compilers of C, Rust, Go and AssemblyScript use
 * none of them unless told to.
 *
 * @param memory what it declares; the tool has none if it declares none
 */
record CheckedModule(WasmModule module, MemoryLimits memory) {

  /** Large programs have some ten thousand functions to point at. */
  static final int TABLE_ELEMENTS_MAX = 100_000;

  static final String WASI = "wasi_snapshot_preview1";

  private static final int MEMORIES_MAX = 1;
  private static final int TABLES_MAX = 16;

  private static final int GARBAGE_COLLECTION = 0xFB;
  private static final int THREADS = 0xFE;

  /** {@code try}, {@code catch}, {@code throw}, {@code rethrow}, {@code throw_ref} and so on. */
  private static final Set<Integer> EXCEPTIONS =
      Set.of(0x06, 0x07, 0x08, 0x09, 0x0A, 0x18, 0x19, 0x1F);

  /**
   * Reads and checks a module.
   *
   * @throws Refused {@code INVALID_FIELD} with what is wrong
   */
  static CheckedModule read(byte[] bytes, int pagesMax, String path) {
    try {
      WasmModule module = Parser.parse(bytes);
      checkExports(module);
      module.importSection().stream().forEach(CheckedModule::checkImport);
      checkTables(module);
      checkCode(module);
      return new CheckedModule(module, memory(module, pagesMax));
    } catch (WasmEngineException | IndexOutOfBoundsException | IllegalArgumentException malformed) {
      throw WasmTier.refused(path + " is no WebAssembly module: " + malformed.getMessage());
    }
  }

  private static void checkExports(WasmModule module) {
    for (int i = 0; i < module.exportSection().exportCount(); i++) {
      if (module.exportSection().getExport(i).name().equals("_start")) {
        return;
      }
    }
    throw WasmTier.refused("it exports no _start: build it as a WASI command");
  }

  private static void checkImport(Import wanted) {
    boolean ours =
        wanted.importType() == ExternalType.FUNCTION
            && (wanted.module().equals(WASI) || EffectCalls.offers(wanted.module(), wanted.name()));
    if (!ours) {
      throw WasmTier.refused(
          "it imports "
              + wanted.module()
              + "."
              + wanted.name()
              + "; there are only the functions of "
              + WASI
              + " and of "
              + EffectCalls.MODULE);
    }
  }

  private static MemoryLimits memory(WasmModule module, int pagesMax) {
    MemorySection section = module.memorySection().orElse(null);
    if (section == null || section.memoryCount() == 0) {
      return new MemoryLimits(0, 0);
    }
    if (section.memoryCount() > MEMORIES_MAX) {
      throw WasmTier.refused("it has more than one memory");
    }
    MemoryLimits declared = section.getMemory(0).limits();
    if (declared.shared()) {
      throw WasmTier.refused("its memory is shared between threads, and there are none");
    }
    if (declared.initialPages() > pagesMax) {
      throw WasmTier.refused(
          "it begins with "
              + declared.initialPages()
              + " pages of memory, and may have "
              + pagesMax);
    }
    return declared;
  }

  private static void checkTables(WasmModule module) {
    int tables = module.tableSection().tableCount();
    if (tables > TABLES_MAX) {
      throw WasmTier.refused("it has more than " + TABLES_MAX + " tables");
    }
    for (int i = 0; i < tables; i++) {
      if (module.tableSection().getTable(i).limits().min() > TABLE_ELEMENTS_MAX) {
        throw WasmTier.refused("a table has more than " + TABLE_ELEMENTS_MAX + " elements");
      }
    }
  }

  private static void checkCode(WasmModule module) {
    if (module.tagSection().isPresent()) {
      throw WasmTier.refused("it throws exceptions of its own; build it without them");
    }
    for (int i = 0; i < module.codeSection().functionBodyCount(); i++) {
      for (AnnotatedInstruction instruction :
          module.codeSection().getFunctionBody(i).instructions()) {
        checkInstruction(instruction);
      }
    }
  }

  private static void checkInstruction(AnnotatedInstruction instruction) {
    int code = instruction.opcode().opcode();
    int prefix = code >>> 8;
    if (prefix == GARBAGE_COLLECTION || prefix == THREADS || EXCEPTIONS.contains(code)) {
      throw WasmTier.refused(
          "it uses "
              + instruction.opcode()
              + "; build it without garbage collection, exceptions and threads");
    }
  }
}
