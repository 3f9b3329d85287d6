package org.aionos.model;

import java.time.Clock;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.aionos.kernel.Code;
import org.aionos.kernel.Meters;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.jspecify.annotations.Nullable;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Reference;

/**
 * The providers that are configured now, and all that is known of them while this bundle lives.
 * What agents ask and what the kernel asks goes through here.
 */
@Component(service = Providers.class)
public final class Providers {

  private static final String HOW =
      "no model is configured: set OLLAMA_URL, or name a provider in config/models.yaml";

  /** Names shown to who asked for another. */
  private static final int SHOWN_MAX = 20;

  private final ModelsFile file;
  private final TunedModels tuned;
  private final Links links;
  private final Circuits circuits;
  private final Listings listings;
  private final ModelMeters meters;
  private final AnswerCache cache;
  private final Asking asking;
  private final InstantSource clock;
  private final AtomicInteger inFlight = new AtomicInteger();

  /** What the parts above were last told of; written under this, read by a first look. */
  private volatile @Nullable ModelSettings known;

  @Activate
  public Providers(
      BundleContext context,
      @Reference(name = "file") ModelsFile file,
      @Reference(name = "meters") Meters meters)
      throws Exception {
    this(
        file,
        new FoundTuning(context),
        meters,
        time -> TimeUnit.NANOSECONDS.sleep(time.toNanos()),
        Clock.systemUTC(),
        System::nanoTime,
        () -> ThreadLocalRandom.current().nextLong());
  }

  Providers(
      ModelsFile file,
      TunedModels tuned,
      Meters meters,
      Pause pause,
      InstantSource clock,
      LongSupplier nanoClock,
      RandomGenerator random)
      throws Exception {
    this.file = file;
    this.tuned = tuned;
    this.clock = clock;
    this.links = new Links();
    this.circuits = new Circuits(clock, file.now());
    this.listings = new Listings(links, clock);
    this.meters = new ModelMeters(meters, inFlight);
    this.cache = new AnswerCache(clock);
    this.asking = new Asking(links, circuits, this.meters, pause, clock, nanoClock, random);
  }

  @Deactivate
  void close() throws Exception {
    meters.close();
    links.close();
  }

  /** What is configured now. */
  ModelSettings settings() {
    ModelSettings now = file.now();
    if (now != known) {
      follow(now);
    }
    return now;
  }

  private synchronized void follow(ModelSettings now) {
    if (now != known) {
      links.keep(new HashSet<>(now.providers().values()));
      listings.keep(now.providers().values());
      circuits.keep(now);
      meters.watch(now.providers().keySet(), circuits);
      known = now;
    }
  }

  /** As {@link #settings}, where there must be something. */
  ModelSettings configured() {
    ModelSettings now = settings();
    if (now.providers().isEmpty()) {
      throw new Refused(
          Problem.of(
              Code.NOT_INSTALLED,
              file.rejected().isEmpty() ? HOW : HOW + "; the file there now is refused"));
    }
    return now;
  }

  Asking asking() {
    return asking;
  }

  AnswerCache cache() {
    return cache;
  }

  Circuits circuits() {
    return circuits;
  }

  TunedModels tuned() {
    return tuned;
  }

  InstantSource clock() {
    return clock;
  }

  String rejected() {
    return file.rejected();
  }

  ModelMeters meters() {
    return meters;
  }

  // --- names ----------------------------------------------------------------------------------

  /**
   * @param name null for the default
   * @throws Refused {@code INVALID_FIELD} if there is none of that name, {@code
   *     UPSTREAM_UNAVAILABLE} if the provider that lists the default does not answer
   */
  ModelSettings.Model model(ModelSettings settings, @Nullable String name)
      throws InterruptedException {
    String asked = name == null ? settings.standard() : name;
    return asked == null ? firstListed(settings) : named(settings, asked);
  }

  private static ModelSettings.Model named(ModelSettings settings, String name) {
    return settings
        .model(name)
        .orElseThrow(
            () ->
                new Refused(
                    Problem.at(
                        "/params/model",
                        Code.INVALID_FIELD,
                        "there is no such model; there are: " + names(settings))));
  }

  private static String names(ModelSettings settings) {
    List<String> names = new ArrayList<>(new TreeSet<>(settings.models().keySet()));
    settings.providers().values().stream()
        .filter(ModelSettings.Provider::anyModel)
        .forEach(each -> names.add(each.name() + "/<its model>"));
    return names.size() > SHOWN_MAX
        ? String.join(", ", names.subList(0, SHOWN_MAX)) + " and more"
        : String.join(", ", names);
  }

  private ModelSettings.Model firstListed(ModelSettings settings) throws InterruptedException {
    String failure = "";
    for (ModelSettings.Provider provider : settings.providers().values()) {
      if (provider.anyModel()) {
        try {
          for (String model : listings.of(provider)) {
            return named(settings, provider.name() + "/" + model);
          }
          failure = provider.name() + " lists no model";
        } catch (ProviderFailure failed) {
          failure = provider.name() + " " + failed.why();
        }
      }
    }
    if (failure.isEmpty()) {
      throw new Refused(
          Problem.at(
              "/params/model",
              Code.MISSING_FIELD,
              "no default is configured; there are: " + names(settings)));
    }
    throw new Refused(Code.UPSTREAM_UNAVAILABLE, "there is no default model yet: " + failure);
  }

  /** The model as far as it is known without asking anybody; null if it is not. */
  ModelSettings.@Nullable Model modelKnown(@Nullable String name) {
    ModelSettings settings = settings();
    String asked = name == null ? settings.standard() : name;
    if (asked != null) {
      return settings.model(asked).orElse(null);
    }
    for (ModelSettings.Provider provider : settings.providers().values()) {
      for (String model : listings.known(provider)) {
        return settings.model(provider.name() + "/" + model).orElse(null);
      }
    }
    return null;
  }

  /** What providers with {@code any_model} list; nothing of those that do not answer. */
  List<ModelSettings.Model> listed(ModelSettings settings) {
    List<ModelSettings.Model> models = new ArrayList<>();
    for (ModelSettings.Provider provider : settings.providers().values()) {
      if (provider.anyModel()) {
        try {
          for (String model : listings.of(provider)) {
            settings.model(provider.name() + "/" + model).ifPresent(models::add);
          }
        } catch (ProviderFailure away) {
          continue;
        } catch (InterruptedException ended) {
          Thread.currentThread().interrupt();
          return models;
        }
      }
    }
    return models;
  }

  // --- room -----------------------------------------------------------------------------------

  /** A place among all answers that are awaited. */
  @FunctionalInterface
  interface Room extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * @throws Refused {@code KERNEL_BUSY} if there is none
   */
  Room room(ModelSettings settings) {
    int streamsMax = settings.limits().streamsMax();
    if (inFlight.incrementAndGet() > streamsMax) {
      inFlight.decrementAndGet();
      throw new Refused(
          Code.KERNEL_BUSY,
          "models are asked " + streamsMax + " times at once (limits.streams_max)");
    }
    return inFlight::decrementAndGet;
  }
}
