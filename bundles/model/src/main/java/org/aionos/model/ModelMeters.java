package org.aionos.model;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleSupplier;
import org.aionos.kernel.Meters;

/** What is counted of models. Its labels are names of providers, which the operator chose. */
final class ModelMeters implements AutoCloseable {

  private final Meters.Counter requests;
  private final Meters.Counter tokens;
  private final Meters.Histogram firstToken;
  private final Map<String, DoubleSupplier> openCircuits = new ConcurrentHashMap<>();
  private final AutoCloseable circuits;
  private final AutoCloseable streams;

  ModelMeters(Meters meters, AtomicInteger inFlight) {
    this.requests =
        meters.counter(
            "aion_model_requests_total", "Requests to model providers", "provider", "outcome");
    this.tokens =
        meters.counter(
            "aion_model_tokens_total",
            "Tokens to and from model providers",
            "provider",
            "direction");
    this.firstToken =
        meters.millis(
            "aion_model_first_token_ms", "From a question to the first token", "provider");
    this.circuits =
        meters.gauge(
            "aion_model_circuit_open",
            "Routes of a provider that are left alone since they failed often",
            "provider",
            openCircuits);
    this.streams =
        meters.gauge("aion_model_streams", "Answers of models that are awaited", inFlight::get);
  }

  /** From now on, circuits of these. */
  void watch(Set<String> providers, Circuits circuits) {
    openCircuits.keySet().retainAll(providers);
    providers.forEach(each -> openCircuits.put(each, () -> circuits.open(each)));
  }

  void requested(String provider, ProviderFailure.Kind kind) {
    requested(provider, kind.name().toLowerCase(Locale.ROOT));
  }

  void requested(String provider, String outcome) {
    requests.add(1, provider, outcome);
  }

  void used(String provider, long tokensIn, long tokensOut) {
    tokens.add(tokensIn, provider, "in");
    tokens.add(tokensOut, provider, "out");
  }

  void firstToken(String provider, long nanos) {
    firstToken.record(nanos / 1e6, provider);
  }

  @Override
  public void close() throws Exception {
    circuits.close();
    streams.close();
  }
}
