package org.aionos.model;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Underway;
import org.jspecify.annotations.Nullable;

/**
 * What one call has used and said, for who breaks it off. The thread of the call writes, any thread
 * may ask.
 */
final class Account {

  private static final String TEXT = "text";
  private static final String ROUTE = "route";
  private static final String TOKENS = "tokens";

  private final Begun before;

  // Guarded by this.
  private Outcome.Spent settled = Outcome.Spent.NOTHING;
  private ModelSettings.@Nullable Route route;
  private @Nullable Said said;
  private long tokensIn;
  private boolean canGoOn;

  /**
   * An answer that was broken off.
   *
   * @param route at which it was begun; empty for none
   * @param tokens in which it came
   */
  record Begun(String text, String route, long tokens) {

    static final Begun NOTHING = new Begun("", "", 0);

    /** What {@link Account#soFar} said; nothing for anything else. */
    static Begun of(@Nullable Map<String, @Nullable Object> state) {
      return state != null
              && state.get(TEXT) instanceof String text
              && state.get(ROUTE) instanceof String route
              && state.get(TOKENS) instanceof Number tokens
          ? new Begun(text, route, tokens.longValue())
          : NOTHING;
    }

    boolean isNothing() {
      return text.isEmpty();
    }
  }

  Account(Begun before) {
    this.before = before;
  }

  Begun before() {
    return before;
  }

  /** The provider has taken the question. */
  synchronized void begin(ModelSettings.Route at, Said begun, long tokensInAbout, boolean mayGoOn) {
    route = at;
    said = begun;
    tokensIn = tokensInAbout;
    canGoOn = mayGoOn;
  }

  /** The answer that was begun is there whole: what it used up, it has. */
  synchronized void settle() {
    settled = settled.plus(open());
    said = null;
  }

  /** The provider gave it up before it said anything, so there is nothing to pay. */
  synchronized void drop() {
    said = null;
  }

  /** Whether anything was heard of the try that was begun last. */
  synchronized boolean hasBegun() {
    return said != null && said.hasBegun();
  }

  private Outcome.Spent open() {
    if (said == null || route == null) {
      return Outcome.Spent.NOTHING;
    }
    long in = said.tokensIn(tokensIn);
    long out = said.tokensOut();
    return new Outcome.Spent(route.price().of(in, out), in, out);
  }

  /** Since {@link #before}. */
  synchronized Outcome.Spent spent() {
    return settled.plus(open());
  }

  synchronized Underway.SoFar soFar() {
    return new Underway.SoFar(state(), spent());
  }

  private Map<String, @Nullable Object> state() {
    if (said == null || route == null) {
      return state(before.text(), before.route(), before.tokens());
    }
    if (!canGoOn || said.hasToolCalls()) {
      return Map.of();
    }
    return state(before.text() + said.text(), route.name(), before.tokens() + said.deltas());
  }

  private static Map<String, @Nullable Object> state(String text, String route, long tokens) {
    if (text.isEmpty()) {
      return Map.of();
    }
    Map<String, @Nullable Object> state = new LinkedHashMap<>();
    state.put(TEXT, text);
    state.put(ROUTE, route);
    state.put(TOKENS, tokens);
    return state;
  }
}
