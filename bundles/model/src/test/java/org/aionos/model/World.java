package org.aionos.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Supplier;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Declared;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Syscall;
import org.aionos.kernel.Underway;
import org.aionos.kernel.policy.Tuning;
import org.jspecify.annotations.Nullable;

/** The bundle, put together as the framework does it, with a clock and a policy of our own. */
final class World implements AutoCloseable {

  static final AgentId ANN = new AgentId("acme", "ann");

  /** Longer than any test lets pass. */
  static final Duration TIME = Duration.ofMinutes(10);

  static final AgentId BOB = new AgentId("other", "bob");

  final FakeMeters meters = new FakeMeters();
  final List<Duration> pauses = Collections.synchronizedList(new ArrayList<>());
  final ModelsFile file;
  final Providers providers;
  final ModelGenerate generate;
  final ModelEmbed embed;
  final ConfiguredModels models;

  private final Path folder;
  private volatile Duration ahead = Duration.ZERO;
  private volatile Tuning.Models tuned = Tuning.Models.UNSAID;

  World(Path folder, String yaml) throws Exception {
    this(folder, yaml, Map.of());
  }

  World(Path folder, String yaml, Map<String, String> environment) throws Exception {
    this.folder = folder;
    write(yaml);
    InstantSource clock = () -> Instant.now().plus(ahead);
    this.file = new ModelsFile(folder, environment);
    this.providers =
        new Providers(
            file, tenant -> tuned, meters, pauses::add, clock, System::nanoTime, new Random(7));
    this.generate = new ModelGenerate(providers);
    this.embed = new ModelEmbed(providers);
    this.models = new ConfiguredModels(providers);
  }

  /** Puts another models.yaml there, as the watch finds it. */
  World write(String yaml) {
    try {
      Files.writeString(folder.resolve("models.yaml"), yaml);
    } catch (IOException unwritable) {
      throw new UncheckedIOException(unwritable);
    }
    return this;
  }

  void pass(Duration time) {
    ahead = ahead.plus(time);
  }

  void tune(Tuning.Models models) {
    tuned = models;
  }

  @Override
  public void close() throws Exception {
    providers.close();
    file.close();
  }

  // --- calls ----------------------------------------------------------------------------------

  /** One call, and all that its caller hears of it. */
  static class Call implements Underway {

    final List<Map<String, @Nullable Object>> partials =
        Collections.synchronizedList(new ArrayList<>());
    final Syscall syscall;
    final Admitted admitted;
    private final @Nullable Map<String, @Nullable Object> before;
    private volatile @Nullable Supplier<SoFar> soFar;
    volatile int reports;

    Call(
        Syscall syscall,
        Map<String, @Nullable Object> manifest,
        Duration time,
        @Nullable Map<String, @Nullable Object> before) {
      this.syscall = syscall;
      this.before = before;
      AgentProcess agent =
          new AgentProcess(
              syscall.agent(),
              "ann",
              "1",
              AgentProcess.State.ALIVE,
              1,
              new Declared(Set.of(), Set.of("model.*")),
              Map.of(),
              manifest,
              AgentProcess.Vitals.UNKNOWN,
              Instant.EPOCH,
              Instant.EPOCH,
              null);
      this.admitted =
          new Admitted(
              new Asked("sc-1", 1, syscall),
              new Decision.Allow("rule", "1", Set.of(), Map.of()),
              agent,
              Instant.now().plus(time),
              this::hear,
              this);
    }

    void hear(Interim interim) {
      if (interim instanceof Interim.Partial partial) {
        partials.add(partial.value());
      }
    }

    @Override
    public @Nullable Map<String, @Nullable Object> before() {
      return before;
    }

    @Override
    public void report(Supplier<SoFar> supplier) {
      soFar = supplier;
      reports++;
    }

    SoFar soFar() {
      return java.util.Objects.requireNonNull(soFar, "nothing was reported").get();
    }

    /** What was heard piece by piece. */
    String heard() {
      StringBuilder text = new StringBuilder();
      for (Map<String, @Nullable Object> each : List.copyOf(partials)) {
        text.append(each.getOrDefault("text", ""));
      }
      return text.toString();
    }
  }

  static Syscall syscall(String name, AgentId agent, Map<String, ?> params) {
    return new Syscall(
        name,
        agent,
        Caller.tenantSecret(agent.tenant(), true),
        Syscall.Context.NONE,
        Set.of(),
        new LinkedHashMap<>(params),
        Syscall.Budget.NONE,
        "00");
  }

  static Call call(Map<String, ?> params) {
    return call(ANN, params);
  }

  static Call call(AgentId agent, Map<String, ?> params) {
    return new Call(syscall("model.generate", agent, params), Map.of("spec", Map.of()), TIME, null);
  }

  /** One that may cost no more than this. */
  static Call within(String usdMax, Map<String, ?> params) {
    Syscall free = syscall("model.generate", ANN, params);
    return new Call(
        new Syscall(
            free.name(),
            free.agent(),
            free.caller(),
            free.context(),
            free.capsRequired(),
            free.params(),
            new Syscall.Budget(new java.math.BigDecimal(usdMax), null),
            free.bodyDigest()),
        Map.of("spec", Map.of()),
        TIME,
        null);
  }

  static Call calledAgain(Map<String, ?> params, Map<String, @Nullable Object> before) {
    return new Call(syscall("model.generate", ANN, params), Map.of("spec", Map.of()), TIME, before);
  }

  Outcome.Ok generate(Map<String, ?> params) throws InterruptedException {
    return generate.run(call(params).admitted);
  }

  Outcome.Ok embed(Map<String, ?> params) throws InterruptedException {
    return embed.run(call(params).admitted);
  }

  /** The refusal that a call must end with. */
  Refused refusal(Call call) {
    try {
      Outcome.Ok ok = generate.run(call.admitted);
      throw new AssertionError("it was carried out: " + ok);
    } catch (Refused refused) {
      return refused;
    } catch (InterruptedException unexpected) {
      throw new AssertionError(unexpected);
    }
  }

  Refused refusal(Map<String, ?> params) {
    return refusal(call(params));
  }
}
