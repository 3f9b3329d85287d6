package org.aionos.wasm;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import org.aionos.dialogue.Dialogue;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import run.endive.runtime.HostFunction;
import run.endive.runtime.ImportValues;
import run.endive.runtime.Instance;
import run.endive.runtime.Machine;
import run.endive.runtime.TableInstance;
import run.endive.runtime.WasmInterruptedException;
import run.endive.wasi.WasiExitException;
import run.endive.wasi.WasiOptions;
import run.endive.wasi.WasiPreview1;
import run.endive.wasm.WasmEngineException;
import run.endive.wasm.types.Table;
import run.endive.wasm.types.TableLimits;

/**
 * A compiled module. Each call gets an instance of its own: the call on standard input, the answer
 * on standard output, both {@link Dialogue}; a clock, chance, its {@link EffectCalls}, a {@link
 * Scratch} folder if it opens files, and nothing else: no environment, no file of the host, no
 * socket. So nothing is left for the next call to find.
 *
 * <p>The calling thread runs the module. An interrupt ends it within a few milliseconds.
 */
final class WasmTool implements ConfinedTool {

  private static final Logger log = LoggerFactory.getLogger(WasmTool.class);

  /** Of what a tool writes to standard error; for its author, in the kernel's log. */
  private static final int ERROR_BYTES_MAX = 16_384;

  private final String name;
  private final CheckedModule module;
  private final Function<Instance, Machine> machines;
  private final WasmTier.Limits limits;
  private final Semaphore pagesLeft;
  private final Clock clock;
  private final Random random;
  private final boolean opensFiles;

  WasmTool(
      String name,
      CheckedModule module,
      Function<Instance, Machine> machines,
      WasmTier.Limits limits,
      Semaphore pagesLeft,
      Clock clock,
      Random random) {
    this.name = name;
    this.module = module;
    this.machines = machines;
    this.limits = limits;
    this.pagesLeft = pagesLeft;
    this.clock = clock;
    this.random = random;
    this.opensFiles = Scratch.isWantedBy(module.module());
  }

  @Override
  public ToolResult invoke(ToolCall call, AgentId agent, Effects effects)
      throws ToolFailure, InterruptedException {
    BoundedOutput output = new BoundedOutput(limits.outputBytesMax());
    BoundedOutput errors = new BoundedOutput(ERROR_BYTES_MAX);
    try {
      run(call, effects, output, errors);
      return Dialogue.answer(output.toByteArray());
    } catch (InvalidDocument invalid) {
      throw new Refused(Code.TOOL_FAULT, "the tool's answer is none: " + invalid.describe());
    } finally {
      if (errors.size() > 0) {
        log.debug(
            "tool wrote to standard error: tool={} audit={} text={}",
            name,
            call.id(),
            errors.toString(StandardCharsets.UTF_8));
      }
    }
  }

  private void run(ToolCall call, Effects effects, BoundedOutput output, BoundedOutput errors)
      throws InterruptedException {
    WasiOptions.Builder options =
        WasiOptions.builder()
            .withStdin(new ByteArrayInputStream(Dialogue.call(call)))
            .withStdout(output)
            .withStderr(errors)
            .withArguments(List.of(call.tool()))
            .withClock(clock)
            .withRandom(random);
    EffectCalls effectCalls = new EffectCalls(effects, limits.outputBytesMax());
    try (BoundedMemory memory =
            new BoundedMemory(
                module.memory(), BoundedMemory.pagesIn(limits.memoryBytesMax()), pagesLeft);
        Scratch scratch = opensFiles ? new Scratch(limits.filesBytesMax(), pagesLeft) : null;
        WasiPreview1 wasi = wasi(options, scratch)) {
      HostFunction[] functions = wasi.toHostFunctions();
      run(imports(scratch == null ? functions : scratch.bounded(functions), effectCalls), memory);
    } catch (WasiExitException exit) {
      if (exit.exitCode() != 0) {
        throw new Refused(Code.TOOL_CRASHED, "the tool ended with status " + exit.exitCode());
      }
    } catch (WasmEngineException trap) {
      throw ended(trap);
    } catch (StackOverflowError deep) {
      throw new Refused(Code.TOOL_CRASHED, "the tool calls itself too deep");
    }
  }

  /** Running is instantiating: the module's {@code _start} is called, and there is no other. */
  private void run(ImportValues imports, BoundedMemory memory) {
    Instance.builder(module.module())
        .withMachineFactory(machines)
        .withMemoryFactory(declared -> memory)
        .withTableFactory(WasmTool::table)
        .withImportValues(imports)
        .withStart(true)
        .build();
  }

  /** A table of this call's own: the module's would keep the size that a call gave it. */
  private static TableInstance table(Table declared, int filler) {
    TableLimits limits = declared.limits();
    return new TableInstance(
        new Table(
            declared.elementType(),
            new TableLimits(limits.min(), Math.min(limits.max(), CheckedModule.TABLE_ELEMENTS_MAX)),
            declared.initialize()),
        filler);
  }

  private static WasiPreview1 wasi(WasiOptions.Builder options, @Nullable Scratch scratch) {
    if (scratch != null) {
      options.withDirectory(Scratch.FOLDER, scratch.folder());
    }
    return WasiPreview1.builder().withOptions(options.build()).withLogger(new Quiet()).build();
  }

  private static ImportValues imports(HostFunction[] wasi, EffectCalls effects) {
    return ImportValues.builder().addFunction(wasi).addFunction(effects.functions()).build();
  }

  /** A refusal of ours, or the interrupt, may come wrapped in what the engine throws. */
  private static Refused ended(WasmEngineException trap) throws InterruptedException {
    for (Throwable cause = trap; cause != null; cause = cause.getCause()) {
      if (cause instanceof Refused refused) {
        return refused;
      }
      if (cause instanceof WasmInterruptedException || cause instanceof InterruptedException) {
        throw new InterruptedException();
      }
    }
    return new Refused(Code.TOOL_CRASHED, "the tool ended by a trap: " + trap.getMessage());
  }

  /** There is nothing to give back: an instance is gone with its call. */
  @Override
  public void close() {}
}
