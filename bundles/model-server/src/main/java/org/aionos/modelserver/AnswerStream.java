package org.aionos.modelserver;

import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.IteratingCallback;

/**
 * One answer, said token by token. Holds no thread while it waits; what hangs never says anything,
 * and waits for its caller to go.
 */
final class AnswerStream extends IteratingCallback {

  private static final int ROLE = -1;

  private final Request request;
  private final Response response;
  private final Callback callback;
  private final Completion completion;
  private final Knobs.Turn turn;
  private final boolean withUsage;
  private final ScheduledExecutorService timer;
  private final InstantSource clock;
  private final Seen seen;

  /** Only ever touched by whoever runs {@link #process}. */
  private int next = ROLE;

  private boolean waited;
  private int endings;

  AnswerStream(
      Request request,
      Response response,
      Callback callback,
      Completion completion,
      Knobs.Turn turn,
      boolean withUsage,
      ScheduledExecutorService timer,
      InstantSource clock,
      Seen seen) {
    this.request = request;
    this.response = response;
    this.callback = callback;
    this.completion = completion;
    this.turn = turn;
    this.withUsage = withUsage;
    this.timer = timer;
    this.clock = clock;
    this.seen = seen;
  }

  void begin() {
    seen.begun();
    response.setStatus(200);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "text/event-stream");
    iterate();
  }

  @Override
  protected Action process() {
    if (turn.hang()) {
      return Action.IDLE;
    }
    long delay = next == 0 ? turn.firstTokenDelayMillis() : turn.tokenDelayMillis();
    boolean isToken = next >= 0 && next < completion.size();
    if (isToken && delay > 0 && !waited) {
      waited = true;
      timer.schedule(this::iterate, delay, TimeUnit.MILLISECONDS);
      return Action.IDLE;
    }
    waited = false;
    if (turn.cutAfterTokens() >= 0 && next == turn.cutAfterTokens()) {
      cut();
      return Action.IDLE;
    }
    return say(isToken);
  }

  private Action say(boolean isToken) {
    if (next == ROLE) {
      next = 0;
      return write(completion.role(), false);
    }
    if (isToken) {
      seen.token();
      return write(completion.delta(next++), false);
    }
    return switch (endings++) {
      case 0 -> write(completion.finish(), false);
      case 1 -> withUsage ? write(completion.usageAlone(), false) : write(Wire.DONE, true);
      case 2 -> withUsage ? write(Wire.DONE, true) : Action.SUCCEEDED;
      default -> Action.SUCCEEDED;
    };
  }

  private Action write(byte[] bytes, boolean last) {
    response.write(last, ByteBuffer.wrap(bytes), this);
    return Action.SCHEDULED;
  }

  /** As when a server dies. */
  private void cut() {
    seen.ended();
    request.getConnectionMetaData().getConnection().getEndPoint().close();
    callback.failed(new java.io.IOException("cut"));
  }

  /** The caller has gone. */
  void gone() {
    abort(new java.io.EOFException("the caller hung up"));
  }

  @Override
  protected void onCompleteSuccess() {
    seen.ended();
    callback.succeeded();
  }

  @Override
  protected void onFailure(Throwable cause) {
    seen.aborted(clock.instant());
    callback.failed(cause);
  }
}
