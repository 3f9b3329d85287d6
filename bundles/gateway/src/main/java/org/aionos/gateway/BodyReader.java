package org.aionos.gateway;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.thread.Invocable;
import org.jspecify.annotations.Nullable;

/**
 * Reads one request body, whole, and hands it on. Holds no thread while it waits, so that a slow
 * sender costs a buffer and nothing else; what all of them may hold together is bounded. A body
 * that stops coming is refused at the gateway's idle time.
 */
final class BodyReader implements Invocable.Task {

  private final Request request;
  private final int bytesMax;
  private final Semaphore room;
  private final Consumer<byte[]> read;
  private final Consumer<Refused> unread;
  private byte[] body = {};
  private int length;
  private int held;

  /**
   * @param room bytes that the unfinished bodies of all connections may still take
   */
  BodyReader(
      Request request,
      int bytesMax,
      Semaphore room,
      Consumer<byte[]> read,
      Consumer<Refused> unread) {
    this.request = request;
    this.bytesMax = bytesMax;
    this.room = room;
    this.read = read;
    this.unread = unread;
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
      Refused fault = take(chunk);
      boolean last = chunk.isLast();
      chunk.release();
      if (fault != null || last) {
        end(fault);
        return;
      }
    }
  }

  private @Nullable Refused take(Content.Chunk chunk) {
    if (Content.Chunk.isFailure(chunk)) {
      return new Refused(Code.MALFORMED_REQUEST, "the body could not be read to its end");
    }
    ByteBuffer bytes = chunk.getByteBuffer();
    int more = bytes.remaining();
    if (more > bytesMax - length) {
      return tooLarge(bytesMax);
    }
    // A body that is whole at once waits for nobody, so those who hold the room cannot shut it out.
    if (!(chunk.isLast() && held == 0)) {
      if (!room.tryAcquire(more)) {
        return new Refused(
            Problem.later(
                Code.KERNEL_BUSY,
                "too many request bodies are on their way (gateway.bodies_bytes_max)",
                Duration.ofSeconds(1)));
      }
      held += more;
    }
    if (more > body.length - length) {
      body = Arrays.copyOf(body, Math.max(length + more, 2 * length));
    }
    bytes.get(body, length, more);
    length += more;
    return null;
  }

  private void end(@Nullable Refused fault) {
    try {
      if (fault == null) {
        read.accept(length == body.length ? body : Arrays.copyOf(body, length));
      } else {
        unread.accept(fault);
      }
    } finally {
      room.release(held);
    }
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
