package org.aionos.gateway;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * An answer that comes bit by bit, as server-sent events (WHATWG HTML, section "Server-sent
 * events"). Events may come from any thread, and none waits for the reader: what he has not taken
 * is kept up to a bound, and beyond it events are dropped, all but the last; {@code dropped} then
 * says how many. While nothing happens a comment is sent now and then, by which we learn that a
 * reader has gone.
 */
final class EventStream extends IteratingCallback {

  static final String TYPE = "text/event-stream";

  private static final byte[] COMMENT = ":\n\n".getBytes(UTF_8);

  private final Response response;
  private final Callback callback;
  private final Scheduler scheduler;
  private final Bounds bounds;
  private final Runnable gone;

  /** What is to be sent next. Guarded by it, as is what follows. */
  private final ByteArrayOutputStream waiting = new ByteArrayOutputStream();

  private long dropped;
  private boolean quiet;
  private boolean ended;

  /**
   * @param bytesMax of events that wait for the reader, but for the last one
   * @param silenceMax after which a comment is sent
   */
  record Bounds(int bytesMax, Duration silenceMax) {}

  /**
   * @param gone run once if the reader has hung up, or takes nothing for too long
   */
  EventStream(
      Response response, Callback callback, Scheduler scheduler, Bounds bounds, Runnable gone) {
    this.response = response;
    this.callback = callback;
    this.scheduler = scheduler;
    this.bounds = bounds;
    this.gone = gone;
  }

  /** Sends the head of the answer with the first event. */
  EventStream open() {
    response.setStatus(200);
    response
        .getHeaders()
        .put(HttpHeader.CONTENT_TYPE, TYPE)
        .put(HttpHeader.CACHE_CONTROL, "no-store")
        .put("X-Content-Type-Options", "nosniff")
        // Proxies that know it pass on each event at once.
        .put("X-Accel-Buffering", "no");
    commentLater();
    return this;
  }

  void event(String name, byte[] json) {
    synchronized (waiting) {
      if (ended) {
        return;
      }
      if (waiting.size() + json.length > bounds.bytesMax()) {
        dropped++;
        return;
      }
      append(name, json);
    }
    iterate();
  }

  /** Sends the last event, and ends the answer. */
  void end(String name, byte[] json) {
    synchronized (waiting) {
      append(name, json);
      ended = true;
    }
    iterate();
  }

  private void append(String name, byte[] json) {
    if (dropped > 0) {
      write("dropped", ("{\"events\":" + dropped + "}").getBytes(UTF_8));
      dropped = 0;
    }
    write(name, json);
  }

  /** JSON as we write it holds no line break, so that one line takes it. */
  private void write(String name, byte[] json) {
    waiting.writeBytes(("event: " + name + "\ndata: ").getBytes(UTF_8));
    waiting.writeBytes(json);
    waiting.writeBytes("\n\n".getBytes(UTF_8));
    quiet = false;
  }

  private void commentLater() {
    scheduler.schedule(this::comment, bounds.silenceMax().toMillis(), TimeUnit.MILLISECONDS);
  }

  private void comment() {
    synchronized (waiting) {
      if (ended) {
        return;
      }
      if (quiet && waiting.size() == 0) {
        waiting.writeBytes(COMMENT);
      }
      quiet = true;
    }
    iterate();
    if (!isClosed() && !isFailed()) {
      commentLater();
    }
  }

  @Override
  protected Action process() {
    ByteBuffer next;
    boolean last;
    synchronized (waiting) {
      if (waiting.size() == 0) {
        return ended ? Action.SUCCEEDED : Action.IDLE;
      }
      next = ByteBuffer.wrap(waiting.toByteArray());
      waiting.reset();
      last = ended;
    }
    response.write(last, next, this);
    return Action.SCHEDULED;
  }

  @Override
  protected void onCompleteSuccess() {
    callback.succeeded();
  }

  @Override
  protected void onCompleteFailure(Throwable lost) {
    synchronized (waiting) {
      ended = true;
      waiting.reset();
    }
    try {
      gone.run();
    } finally {
      callback.failed(lost);
    }
  }
}
