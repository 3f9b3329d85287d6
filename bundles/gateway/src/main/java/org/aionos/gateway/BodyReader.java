package org.aionos.gateway;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;

/**
 * Reads one request body, whole, and hands it on. Holds no thread while it waits, so that a slow
 * sender costs a buffer and nothing else. A body that stops coming is refused at the gateway's idle
 * time.
 */
final class BodyReader implements Invocable.Task {

  private final Request request;
  private final int bytesMax;
  private final Consumer<byte[]> read;
  private final Consumer<Refused> unread;
  private final ByteArrayOutputStream body;

  BodyReader(Request request, int bytesMax, Consumer<byte[]> read, Consumer<Refused> unread) {
    this.request = request;
    this.bytesMax = bytesMax;
    this.read = read;
    this.unread = unread;
    this.body = new ByteArrayOutputStream((int) Math.max(1_024, request.getLength()));
  }

  /** Reads what is there; where the body has not ended, is called again when there is more. */
  @Override
  public void run() {
    while (true) {
      Content.Chunk chunk = request.read();
      if (chunk == null) {
        request.demand(this);
        return;
      }
      if (Content.Chunk.isFailure(chunk)) {
        unread.accept(new Refused(Code.MALFORMED_REQUEST, "the body could not be read to its end"));
        return;
      }
      boolean last = chunk.isLast();
      boolean fits = take(chunk.getByteBuffer());
      chunk.release();
      if (!fits) {
        unread.accept(tooLarge(bytesMax));
        return;
      }
      if (last) {
        read.accept(body.toByteArray());
        return;
      }
    }
  }

  private boolean take(ByteBuffer bytes) {
    if (bytes.remaining() > bytesMax - body.size()) {
      return false;
    }
    byte[] copy = new byte[bytes.remaining()];
    bytes.get(copy);
    body.write(copy, 0, copy.length);
    return true;
  }

  /** Its endpoint writes to the journal and runs tools. */
  @Override
  public InvocationType getInvocationType() {
    return InvocationType.BLOCKING;
  }

  static Refused tooLarge(int bytesMax) {
    return new Refused(
        Code.BODY_TOO_LARGE, "a body has at most " + bytesMax + " bytes (gateway.body_bytes_max)");
  }
}
