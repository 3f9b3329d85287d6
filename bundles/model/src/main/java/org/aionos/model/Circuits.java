package org.aionos.model;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which routes are left alone because they failed often. One circuit for each route that is
 * configured; what is asked by a provider's {@code any_model} shares one, since callers choose
 * those names.
 */
final class Circuits {

  private static final Logger log = LoggerFactory.getLogger(Circuits.class);

  private final InstantSource clock;
  private final Map<String, CircuitBreaker> byRoute = new ConcurrentHashMap<>();
  private volatile ModelSettings.Breaking breaking;
  private volatile Set<String> configured;

  Circuits(InstantSource clock, ModelSettings settings) {
    this.clock = clock;
    this.breaking = settings.breaking();
    this.configured = configured(settings);
  }

  private static Set<String> configured(ModelSettings settings) {
    return settings.models().values().stream()
        .flatMap(model -> model.routes().stream())
        .map(ModelSettings.Route::name)
        .collect(Collectors.toSet());
  }

  CircuitBreaker of(ModelSettings.Route route) {
    return byRoute.computeIfAbsent(name(route), this::closed);
  }

  private String name(ModelSettings.Route route) {
    return configured.contains(route.name()) ? route.name() : route.provider().name() + "/*";
  }

  private CircuitBreaker closed(String name) {
    ModelSettings.Breaking now = breaking;
    CircuitBreaker circuit =
        CircuitBreaker.of(
            name,
            CircuitBreakerConfig.custom()
                .slidingWindowType(CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                .slidingWindowSize(now.calls())
                .minimumNumberOfCalls(now.callsMin())
                .failureRateThreshold(now.failurePercent())
                .slowCallRateThreshold(100)
                .slowCallDurationThreshold(java.time.Duration.ofDays(1))
                .permittedNumberOfCallsInHalfOpenState(1)
                .waitDurationInOpenState(now.open())
                .clock(clock.withZone(ZoneOffset.UTC))
                .currentTimestampFunction(time -> time.millis(), TimeUnit.MILLISECONDS)
                .writableStackTraceEnabled(false)
                .build());
    circuit
        .getEventPublisher()
        .onStateTransition(
            changed ->
                log.info(
                    "circuit of a model: route={} state={}",
                    name,
                    changed.getStateTransition().getToState()));
    return circuit;
  }

  /** What is no longer configured is forgotten; other bounds begin anew. */
  void keep(ModelSettings settings) {
    configured = configured(settings);
    if (!settings.breaking().equals(breaking)) {
      breaking = settings.breaking();
      byRoute.clear();
      return;
    }
    byRoute
        .keySet()
        .removeIf(
            name ->
                !configured.contains(name)
                    && !settings.providers().keySet().stream()
                        .anyMatch(provider -> name.equals(provider + "/*")));
  }

  /** {@code closed}, {@code open} or {@code half_open}. */
  String state(ModelSettings.Route route) {
    CircuitBreaker circuit = byRoute.get(name(route));
    return circuit == null ? "closed" : circuit.getState().name().toLowerCase(Locale.ROOT);
  }

  /** How many circuits of a provider are open. */
  long open(String provider) {
    return byRoute.values().stream()
        .filter(each -> each.getName().startsWith(provider + "/"))
        .map(CircuitBreaker::getState)
        .filter(CircuitBreaker.State.OPEN::equals)
        .count();
  }
}
