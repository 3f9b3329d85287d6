package org.aionos.wasm;

import java.util.List;
import org.aionos.dialogue.Dialogue;
import org.aionos.document.Documents;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.tool.Effects;
import run.endive.runtime.HostFunction;
import run.endive.runtime.Instance;
import run.endive.runtime.WasmInterruptedException;
import run.endive.wasm.types.FunctionType;
import run.endive.wasm.types.ValType;

/**
 * The two functions by which a module reaches its effects:
 *
 * <pre>
 * aion.effect(request: ptr, length: i32) -> i32   carries out an effect; the length of its result
 * aion.effect_result(to: ptr) -> ()               copies that result
 * </pre>
 *
 * Both speak {@link Dialogue}. One for each call.
 */
final class EffectCalls {

  static final String MODULE = "aion";

  private static final String EFFECT = "effect";
  private static final String EFFECT_RESULT = "effect_result";

  private final Effects effects;
  private final int requestBytesMax;
  private byte[] result = {};

  EffectCalls(Effects effects, int requestBytesMax) {
    this.effects = effects;
    this.requestBytesMax = requestBytesMax;
  }

  static boolean offers(String module, String name) {
    return module.equals(MODULE) && (name.equals(EFFECT) || name.equals(EFFECT_RESULT));
  }

  HostFunction[] functions() {
    return new HostFunction[] {
      new HostFunction(
          MODULE,
          EFFECT,
          FunctionType.of(List.of(ValType.I32, ValType.I32), List.of(ValType.I32)),
          (instance, arguments) ->
              new long[] {effect(instance, (int) arguments[0], (int) arguments[1])}),
      new HostFunction(
          MODULE,
          EFFECT_RESULT,
          FunctionType.of(List.of(ValType.I32), List.of()),
          (instance, arguments) -> {
            instance.memory().write((int) arguments[0], result);
            return new long[0];
          })
    };
  }

  private int effect(Instance instance, int at, int length) {
    if (length < 0 || length > requestBytesMax) {
      throw new Refused(Code.TOOL_OUTPUT_LIMIT, "the tool asks for an effect in too many bytes");
    }
    byte[] request = instance.memory().readBytes(at, length);
    try {
      result = Documents.write(Dialogue.effect(Documents.json(request), effects));
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Code.TOOL_FAULT, "the tool asks for an effect that there is not: " + invalid.describe());
    } catch (InterruptedException deadline) {
      throw new WasmInterruptedException(deadline);
    }
    return result.length;
  }
}
