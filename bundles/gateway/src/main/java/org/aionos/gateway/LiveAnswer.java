package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.CallListener;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Reply;
import org.aionos.kernel.SyscallRouter;
import org.jspecify.annotations.Nullable;

/**
 * Answers a syscall with events: {@code started}, any of {@code progress}, {@code partial} and
 * {@code dropped}, and {@code result} with the same envelope that other callers get. What fails
 * before it has begun is answered as ever, with its status. A caller who hangs up cancels the call.
 */
final class LiveAnswer implements CallListener {

  private final Exchange exchange;
  private final SyscallRouter router;
  private volatile @Nullable EventStream stream;

  LiveAnswer(Exchange exchange, SyscallRouter router) {
    this.exchange = exchange;
    this.router = router;
  }

  @Override
  public void begun(String auditId) {
    EventStream opened =
        exchange.events(() -> router.cancel(auditId, "its caller, who has hung up"));
    stream = opened;
    opened.event("started", Answers.of(Map.of("audit_id", auditId)));
  }

  @Override
  public void said(Interim interim) {
    EventStream to = stream;
    if (to == null) {
      return;
    }
    if (interim instanceof Interim.Progress progress) {
      Map<String, @Nullable Object> values = new LinkedHashMap<>();
      values.put("done", progress.done());
      values.put("message", progress.message());
      to.event("progress", Answers.of(values));
    } else if (interim instanceof Interim.Partial partial) {
      to.event("partial", Answers.of(partial.value()));
    }
  }

  @Override
  public void ended(Reply reply) {
    EventStream to = stream;
    if (to != null) {
      to.end("result", Answers.of(reply));
    } else if (reply.outcome() instanceof Outcome.Failed) {
      exchange.answer(reply);
    } else {
      // An idempotency key's second call: it ended without having begun.
      exchange.events(() -> {}).end("result", Answers.of(reply));
    }
  }
}
