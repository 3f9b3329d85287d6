package org.aionos.model;

import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.Code;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.SyscallHandler;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Serves {@code model.generate}: {@code {model, messages | prompt, system, max_tokens, temperature,
 * top_p, stop, seed, tools, tool_choice, schema, cache, allow_cloud}} to {@code {text, tool_calls,
 * json, finish_reason, model}}. Each piece of the answer is told as it comes, but for that of a
 * schema, of which half is worth nothing.
 */
@Component(
    service = SyscallHandler.class,
    property = SyscallHandler.NAMES + "=" + ModelGenerate.NAME)
public final class ModelGenerate implements SyscallHandler {

  static final String NAME = "model.generate";

  private final Providers providers;

  @Activate
  public ModelGenerate(@Reference(name = "providers") Providers providers) {
    this.providers = providers;
  }

  @Override
  public Outcome.Ok run(Admitted call) throws InterruptedException {
    ModelSettings settings = providers.configured();
    Generation asked = read(call.syscall(), settings);
    ModelSettings.Model model = providers.model(settings, asked.model());
    String tenant = call.syscall().agent().tenant();
    List<ModelSettings.Route> routes =
        Chain.of(model, asked.allowCloud(), call.agent(), providers.tuned().of(tenant));
    int tokensMax =
        affordable(call.syscall().budget().usdMax(), asked, routes, tokensMax(asked, model));
    Account account = new Account(Account.Begun.of(call.underway().before()));
    if (account.before().tokens() >= tokensMax && asked.canGoOn()) {
      return alreadyWhole(account.before());
    }
    String key = asked.cached() ? AnswerCache.key(tenant, model.name(), routes, asked) : "";
    AnswerCache.Kept kept = asked.cached() ? providers.cache().find(key) : null;
    if (kept != null) {
      return hit(kept, call);
    }
    Asking.Answer answer;
    try (Providers.Room held = providers.room(settings)) {
      answer = asked(settings, asked, model, routes, tokensMax, account, call);
    }
    Map<String, @Nullable Object> result = result(answer);
    if (asked.cached() && "stop".equals(result.get("finish_reason"))) {
      providers
          .cache()
          .keep(
              key,
              new AnswerCache.Kept(result, answer.route().name()),
              settings.limits().cacheBytesMax(),
              settings.limits().cached());
    }
    return new Outcome.Ok(
        result, account.spent(), new Outcome.Engine("model", answer.route().name()));
  }

  private static Generation read(Syscall syscall, ModelSettings settings) {
    try {
      return Generation.of(
          Fields.of(syscall.params(), "/params"), settings.limits().messagesBytesMax());
    } catch (InvalidDocument invalid) {
      throw refused(invalid);
    }
  }

  static Refused refused(InvalidDocument invalid) {
    boolean missing = invalid.fault() == InvalidDocument.Fault.MISSING;
    return new Refused(
        Problem.at(
            invalid.pointer(), missing ? Code.MISSING_FIELD : Code.INVALID_FIELD, invalid.why()));
  }

  private static int tokensMax(Generation asked, ModelSettings.Model model) {
    Integer wanted = asked.tokensMax();
    if (wanted == null) {
      return model.tokensOutMax();
    }
    if (wanted > model.tokensOutMax()) {
      throw new Refused(
          Problem.at(
              "/params/max_tokens",
              Code.INVALID_FIELD,
              "must be at most " + model.tokensOutMax() + " for this model (tokens_out_max)"));
    }
    return wanted;
  }

  /** As many tokens as the caller's money is enough for, at the dearest of the routes. */
  private static int affordable(
      @Nullable BigDecimal usdMax,
      Generation asked,
      List<ModelSettings.Route> routes,
      int tokensMax) {
    if (usdMax == null || costAtMost(asked, routes, tokensMax).compareTo(usdMax) <= 0) {
      return tokensMax;
    }
    int enough = 0;
    int tooMany = tokensMax;
    while (tooMany - enough > 1) {
      int middle = (enough + tooMany) >>> 1;
      if (costAtMost(asked, routes, middle).compareTo(usdMax) <= 0) {
        enough = middle;
      } else {
        tooMany = middle;
      }
    }
    if (enough == 0) {
      throw new Refused(
          Problem.at(
              "/budget/usd_max",
              Code.BUDGET_EXHAUSTED,
              "the question and one token of an answer may cost "
                  + costAtMost(asked, routes, 1)
                  + " USD"));
    }
    return enough;
  }

  private static BigDecimal costAtMost(
      Generation asked, List<ModelSettings.Route> routes, int tokensOut) {
    long[] tokens = asked.tokensAtMost(tokensOut);
    return dearest(routes, tokens[0], tokens[1]);
  }

  private Asking.Answer asked(
      ModelSettings settings,
      Generation asked,
      ModelSettings.Model model,
      List<ModelSettings.Route> routes,
      int tokensMax,
      Account account,
      Admitted call)
      throws InterruptedException {
    Runnable sent =
        new Runnable() {
          private boolean reported;

          @Override
          public void run() {
            if (!reported) {
              reported = true;
              call.underway().report(account::soFar);
            }
          }
        };
    return providers
        .asking()
        .generate(
            new Asking.Bounds(
                settings,
                Chain.beginningAt(account.before().route(), routes),
                settings.models().containsKey(model.name()),
                call.deadline()),
            asked,
            tokensMax,
            account,
            sent,
            more -> call.interim().accept(new Interim.Partial(more)));
  }

  private static Map<String, @Nullable Object> result(Asking.Answer answer) {
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    result.put("text", answer.text());
    if (answer.said().hasToolCalls()) {
      result.put("tool_calls", answer.said().toolCalls());
    }
    if (answer.isJson()) {
      result.put("json", answer.json());
    }
    result.put("finish_reason", answer.said().finishReason());
    result.put("model", answer.route().name());
    if (!answer.said().isCounted()) {
      result.put("usage_estimated", true);
    }
    return result;
  }

  /** It was broken off after its last token, and before that was said. */
  private static Outcome.Ok alreadyWhole(Account.Begun before) {
    Map<String, @Nullable Object> result = new LinkedHashMap<>();
    result.put("text", before.text());
    result.put("finish_reason", "length");
    result.put("model", before.route());
    return new Outcome.Ok(
        result, Outcome.Spent.NOTHING, new Outcome.Engine("model", before.route()));
  }

  /** Costs nothing; who listens hears it at once. */
  private static Outcome.Ok hit(AnswerCache.Kept kept, Admitted call) {
    if (kept.result().get("text") instanceof String text && !kept.result().containsKey("json")) {
      call.interim().accept(new Interim.Partial(Map.of("text", text)));
    }
    Map<String, @Nullable Object> result = new LinkedHashMap<>(kept.result());
    result.put("cached", true);
    return new Outcome.Ok(result, Outcome.Spent.NOTHING, new Outcome.Engine("model", kept.route()));
  }

  /** The dearest route of the model, and all the tokens that it may take and give. */
  @Override
  public Outcome.Spent atMost(Syscall syscall) {
    try {
      Generation asked = read(syscall, providers.settings());
      ModelSettings.Model model = providers.modelKnown(asked.model());
      if (model == null) {
        return Outcome.Spent.NOTHING;
      }
      long[] tokens = asked.tokensAtMost(model.tokensOutMax());
      return new Outcome.Spent(dearest(model.routes(), tokens[0], tokens[1]), tokens[0], tokens[1]);
    } catch (RuntimeException refusedLater) {
      return Outcome.Spent.NOTHING;
    }
  }

  static BigDecimal dearest(List<ModelSettings.Route> routes, long tokensIn, long tokensOut) {
    return routes.stream()
        .map(route -> route.price().of(tokensIn, tokensOut))
        .max(BigDecimal::compareTo)
        .orElse(BigDecimal.ZERO);
  }
}
