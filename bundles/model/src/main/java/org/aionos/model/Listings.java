package org.aionos.model;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;

/** Which models a provider lists. Asked for once a minute at most, or again soon if it failed. */
final class Listings {

  private static final Duration KEPT = Duration.ofMinutes(1);
  private static final Duration KEPT_FAILED = Duration.ofSeconds(5);
  private static final Duration TIME_MAX = Duration.ofSeconds(3);
  private static final int BYTES_MAX = 1 << 20;
  private static final int MODELS_MAX = 1_000;

  private final Links links;
  private final InstantSource clock;
  private final Map<ModelSettings.Provider, Listed> known = new ConcurrentHashMap<>();

  Listings(Links links, InstantSource clock) {
    this.links = links;
    this.clock = clock;
  }

  private record Listed(List<String> models, String failure, Instant until) {}

  /** What is known without asking; empty for nothing. */
  List<String> known(ModelSettings.Provider provider) {
    Listed listed = known.get(provider);
    return listed == null ? List.of() : listed.models();
  }

  /**
   * @throws ProviderFailure if it does not say
   */
  synchronized List<String> of(ModelSettings.Provider provider)
      throws ProviderFailure, InterruptedException {
    Listed listed = known.get(provider);
    if (listed == null || !listed.until().isAfter(clock.instant())) {
      listed = asked(provider);
      known.put(provider, listed);
    }
    if (!listed.failure().isEmpty()) {
      throw new ProviderFailure(ProviderFailure.Kind.UNAVAILABLE, listed.failure());
    }
    return listed.models();
  }

  private Listed asked(ModelSettings.Provider provider) throws InterruptedException {
    Link link = links.enter(provider);
    try (Exchange exchange = link.get("/models", TIME_MAX)) {
      new Heads(clock).check(exchange, provider);
      Fields answer = Documents.json(Heads.body(exchange, BYTES_MAX));
      List<String> models = new ArrayList<>();
      for (Fields each : answer.list("data")) {
        String name = each.text("id");
        if (ModelSettings.isModelName(name) && models.size() < MODELS_MAX) {
          models.add(name);
        }
      }
      return new Listed(List.copyOf(models), "", clock.instant().plus(KEPT));
    } catch (ProviderFailure failed) {
      return new Listed(List.of(), failed.why(), clock.instant().plus(KEPT_FAILED));
    } catch (InvalidDocument malformed) {
      return new Listed(
          List.of(), "lists no models that can be read", clock.instant().plus(KEPT_FAILED));
    } finally {
      link.leave();
    }
  }

  /** What is no longer configured is forgotten. */
  void keep(java.util.Collection<ModelSettings.Provider> configured) {
    known.keySet().retainAll(configured);
  }
}
