package org.aionos.wasm;

import java.io.ByteArrayOutputStream;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;

/** What a tool writes, kept up to a limit; one byte more ends the call. */
final class BoundedOutput extends ByteArrayOutputStream {

  private final int bytesMax;

  BoundedOutput(int bytesMax) {
    this.bytesMax = bytesMax;
  }

  @Override
  public synchronized void write(int value) {
    check(1);
    super.write(value);
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    check(length);
    super.write(bytes, offset, length);
  }

  private void check(int more) {
    if (more > bytesMax - count) {
      throw new Refused(Code.TOOL_OUTPUT_LIMIT, "the tool writes more than " + bytesMax + " bytes");
    }
  }
}
