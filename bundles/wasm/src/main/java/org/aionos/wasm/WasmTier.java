package org.aionos.wasm;

import java.io.IOException;
import java.time.Clock;
import java.util.Random;
import java.util.concurrent.Semaphore;
import org.aionos.kernel.Code;
import org.aionos.kernel.ConfinedTool;
import org.aionos.kernel.Refused;
import org.aionos.kernel.ToolCatalog.ToolManifest;
import org.aionos.kernel.ToolPackage;
import org.aionos.kernel.ToolTier;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import run.endive.compiler.InterpreterFallback;
import run.endive.compiler.MachineFactoryCompiler;
import run.endive.wasm.WasmEngineException;

/**
 * Opens {@code wasm:} tools: parses, checks and compiles a module once, when its jar is deployed.
 * Needs nothing of the host, so it is there wherever the kernel runs.
 */
@Component(
    property = ToolTier.TIERS + "=" + WasmTier.TIER,
    configurationPid = "org.aionos.wasm",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
@Designate(ocd = WasmConfig.class)
public final class WasmTier implements ToolTier {

  static final String TIER = "wasm";

  private static final Logger log = LoggerFactory.getLogger(WasmTier.class);

  /**
   * @param memoryBytesMax of one call
   * @param memoriesBytesMax of all calls in flight, whatever tool they are of
   * @param filesBytesMax of the files of one call that opens any
   */
  record Limits(
      int moduleBytesMax,
      int memoryBytesMax,
      int memoriesBytesMax,
      int outputBytesMax,
      int filesBytesMax) {}

  private final Limits limits;
  private final Clock clock;
  private final Random random;

  /** Pages of memory that calls in flight may still take. */
  private final Semaphore pagesLeft;

  @Activate
  public WasmTier(WasmConfig config) {
    this(
        new Limits(
            config.moduleBytesMax(),
            config.memoryBytesMax(),
            config.memoriesBytesMax(),
            config.outputBytesMax(),
            config.filesBytesMax()),
        Clock.systemUTC(),
        new java.security.SecureRandom());
  }

  WasmTier(Limits limits, Clock clock, Random random) {
    this.limits = limits;
    this.clock = clock;
    this.random = random;
    this.pagesLeft = new Semaphore(BoundedMemory.pagesIn(limits.memoriesBytesMax()));
  }

  @Override
  public ConfinedTool open(ToolPackage tool) {
    ToolManifest manifest = tool.manifest();
    CheckedModule module =
        CheckedModule.read(
            bytes(tool), BoundedMemory.pagesIn(limits.memoryBytesMax()), manifest.target());
    long begun = System.nanoTime();
    try {
      var machines =
          MachineFactoryCompiler.builder(module.module())
              // A function too large for a Java method still runs, only slower.
              .withInterpreterFallback(InterpreterFallback.SILENT)
              .compile();
      log.info(
          "wasm tool compiled: tool={} millis={}",
          manifest.nameAndVersion(),
          (System.nanoTime() - begun) / 1_000_000);
      return new WasmTool(
          manifest.nameAndVersion(), module, machines, limits, pagesLeft, clock, random);
    } catch (WasmEngineException | IllegalArgumentException unfit) {
      throw refused(manifest.target() + " cannot be compiled: " + unfit.getMessage());
    }
  }

  private byte[] bytes(ToolPackage tool) {
    try {
      byte[] bytes = tool.read(tool.manifest().target());
      if (bytes.length > limits.moduleBytesMax()) {
        throw refused("a module has at most " + limits.moduleBytesMax() + " bytes");
      }
      return bytes;
    } catch (IOException absent) {
      throw refused("/spec/entry: " + absent.getMessage());
    }
  }

  static Refused refused(String why) {
    return new Refused(Code.INVALID_FIELD, "not a wasm tool: " + why);
  }
}
