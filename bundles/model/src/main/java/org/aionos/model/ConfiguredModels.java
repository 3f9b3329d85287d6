package org.aionos.model;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.model.Models;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** The models, for the kernel itself. */
@Component(service = Models.class)
public final class ConfiguredModels implements Models {

  private final Providers providers;

  @Activate
  public ConfiguredModels(@Reference(name = "providers") Providers providers) {
    this.providers = providers;
  }

  @Override
  public Answer ask(Question question) throws InterruptedException {
    Instant deadline = providers.clock().instant().plus(question.timeMax());
    ModelSettings settings = providers.configured();
    Generation asked = read(question, settings);
    ModelSettings.Model model = providers.model(settings, question.model());
    List<ModelSettings.Route> routes =
        question.allowCloud() ? model.routes() : Chain.local(model, model.routes(), "allow_cloud");
    Account account = new Account(Account.Begun.NOTHING);
    try (Providers.Room held = providers.room(settings)) {
      Asking.Answer answer =
          providers
              .asking()
              .generate(
                  new Asking.Bounds(
                      settings, routes, settings.models().containsKey(model.name()), deadline),
                  asked,
                  Math.min(question.tokensMax(), model.tokensOutMax()),
                  account,
                  () -> {},
                  nobody -> {});
      return new Answer(answer.text(), answer.route().name(), account.spent());
    }
  }

  private static Generation read(Question question, ModelSettings settings) {
    Map<String, @Nullable Object> params = new LinkedHashMap<>();
    params.put("prompt", question.prompt());
    params.put("system", question.system().isEmpty() ? null : question.system());
    params.put("schema", question.schema());
    try {
      return Generation.of(Fields.of(params, ""), settings.limits().messagesBytesMax());
    } catch (InvalidDocument invalid) {
      throw new Refused(Problem.at(invalid.pointer(), Code.INVALID_FIELD, invalid.why()));
    }
  }

  @Override
  public List<Model> models() {
    ModelSettings settings = providers.settings();
    List<ModelSettings.Model> all = new ArrayList<>(settings.models().values());
    all.addAll(providers.listed(settings));
    ModelSettings.Model standard = providers.modelKnown(null);
    return all.stream()
        .map(each -> shown(each, standard != null && standard.name().equals(each.name())))
        .toList();
  }

  private Model shown(ModelSettings.Model model, boolean isDefault) {
    return new Model(
        model.name(),
        model.routes().stream()
            .map(
                route ->
                    new Route(
                        route.provider().name(),
                        route.model(),
                        route.provider().local(),
                        route.price().in(),
                        route.price().out(),
                        providers.circuits().state(route)))
            .toList(),
        isDefault);
  }

  @Override
  public String rejected() {
    return providers.rejected();
  }
}
