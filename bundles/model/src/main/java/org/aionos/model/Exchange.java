package org.aionos.model;

import java.io.EOFException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.client.Result;
import org.eclipse.jetty.io.Content;
import org.jspecify.annotations.Nullable;

/**
 * One request, and its answer as it comes. Jetty's threads put bytes in, one thread takes them out;
 * no more are read than it is behind by a little. The wait ends at once when that thread is
 * interrupted.
 */
final class Exchange implements AutoCloseable {

  /** More is left to the socket, whose window then stops the provider. */
  private static final int AHEAD_BYTES_MAX = 64 << 10;

  /** A stream that is over may say so much more before its connection is given up for it. */
  private static final int AFTER_BYTES_MAX = 16 << 10;

  private final Request request;

  // Guarded by this.
  private final Deque<byte[]> waiting = new ArrayDeque<>();
  private int waitingBytes;
  private @Nullable Runnable demander;
  private @Nullable Response response;
  private boolean complete;
  private @Nullable Throwable failure;
  private boolean left;
  private int afterBytes;

  private Exchange(Request request) {
    this.request = request;
  }

  static Exchange send(Request request) {
    Exchange exchange = new Exchange(request);
    request
        .onResponseHeaders(exchange::headers)
        .onResponseContentAsync(exchange::content)
        .send(exchange::completed);
    return exchange;
  }

  private synchronized void headers(Response headers) {
    response = headers;
    notifyAll();
  }

  private void content(Response from, Content.Chunk chunk, Runnable more) {
    byte[] bytes = new byte[chunk.remaining()];
    chunk.getByteBuffer().get(bytes);
    boolean readOn;
    synchronized (this) {
      if (left) {
        afterBytes += bytes.length;
      } else {
        waiting.add(bytes);
        waitingBytes += bytes.length;
        notifyAll();
      }
      readOn = left || waitingBytes < AHEAD_BYTES_MAX;
      demander = readOn ? null : more;
    }
    if (afterBytes > AFTER_BYTES_MAX) {
      from.abort(new EOFException("it goes on after its end"));
    } else if (readOn) {
      more.run();
    }
  }

  private synchronized void completed(Result result) {
    complete = true;
    failure = result.getFailure();
    notifyAll();
  }

  /**
   * Waits for the head of the answer.
   *
   * @throws ProviderFailure {@code UNAVAILABLE} if none comes, {@code LATE}
   */
  synchronized Response head() throws InterruptedException, ProviderFailure {
    while (response == null && !complete) {
      wait();
    }
    if (response == null) {
      throw failed("could not be asked");
    }
    return response;
  }

  /**
   * Waits for bytes of the body; null once there are no more.
   *
   * @throws ProviderFailure {@code UNAVAILABLE} if it breaks off, {@code LATE}
   */
  byte @Nullable [] next() throws InterruptedException, ProviderFailure {
    byte[] bytes;
    Runnable readOn;
    synchronized (this) {
      while (waiting.isEmpty() && !complete) {
        wait();
      }
      if (waiting.isEmpty()) {
        if (failure != null) {
          throw failed("broke off its answer");
        }
        return null;
      }
      bytes = waiting.remove();
      waitingBytes -= bytes.length;
      readOn = waitingBytes < AHEAD_BYTES_MAX ? demander : null;
      demander = readOn == null ? demander : null;
    }
    if (readOn != null) {
      readOn.run();
    }
    return bytes;
  }

  private ProviderFailure failed(String what) {
    Throwable cause = failure;
    // The client says both of them so: a total time that is over, and a silence that was too long.
    boolean late =
        cause instanceof TimeoutException
            && String.valueOf(cause.getMessage()).startsWith("Total timeout");
    // Its kind, not its words: they may hold addresses of the operator's network.
    String kind = cause == null ? "no answer" : cause.getClass().getSimpleName();
    return new ProviderFailure(
        late ? ProviderFailure.Kind.LATE : ProviderFailure.Kind.UNAVAILABLE,
        late ? "did not answer within the time of the call" : what + ": " + kind);
  }

  /** All that counts has come: the rest is read away, so that the connection can be used again. */
  void leave() {
    Runnable readOn;
    synchronized (this) {
      left = true;
      waiting.clear();
      waitingBytes = 0;
      readOn = demander;
      demander = null;
    }
    if (readOn != null) {
      readOn.run();
    }
  }

  /** Closes the connection at once, unless the answer is there whole or was left. */
  @Override
  public void close() {
    boolean over;
    synchronized (this) {
      over = left || complete;
    }
    if (!over) {
      request.abort(new EOFException("nobody waits for it any more"));
    }
  }
}
