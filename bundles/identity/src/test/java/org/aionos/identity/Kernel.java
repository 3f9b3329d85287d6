package org.aionos.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import org.aionos.identity.Settings.TokenSettings;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Identity.Secret;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;

/** One kernel's identity in one directory: started, stopped and started again. */
final class Kernel implements AutoCloseable {

  static final Caller OPERATOR = Caller.person("operator-1", Role.ADMIN, null);
  static final Duration WINDOW = Duration.ofSeconds(300);

  final FakeClock clock;
  final RecordingJournal journal = new RecordingJournal();
  final Path dir;
  Settings settings;
  IdentityComponent identity;

  private Kernel(Settings settings, FakeClock clock) {
    this.clock = clock;
    this.dir = settings.dir();
    this.settings = settings;
    this.identity = open();
  }

  /** Each in a directory of its own. */
  static Kernel start() {
    return start(null);
  }

  static Kernel start(TokenSettings tokens) {
    return new Kernel(
        new Settings(newDir(), true, WINDOW, 200_000, false, tokens), new FakeClock());
  }

  static Kernel startIn(Path dir, boolean sampleTenant) {
    return startIn(dir, sampleTenant, new FakeClock());
  }

  static Kernel startIn(Path dir, boolean sampleTenant, FakeClock clock) {
    return new Kernel(new Settings(dir, sampleTenant, WINDOW, 200_000, false, null), clock);
  }

  /** As a node of a cluster, which is not there at first. */
  static Kernel nodeIn(Path dir, FakeClock clock) {
    return new Kernel(new Settings(dir, false, WINDOW, 200_000, true, null), clock);
  }

  static Path newDir() {
    try {
      return Files.createTempDirectory("identity").resolve("state");
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  IdentityComponent open() {
    try {
      return new IdentityComponent(settings, clock, new SecureRandom(), journal);
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  /** Stops in order and starts again, as when the bundle is swapped. */
  void swap() {
    identity.close();
    identity = open();
  }

  long now() {
    return clock.millis();
  }

  Secret tenant(String name) {
    return identity.addTenant(name, OPERATOR);
  }

  Caller admits(Request request) {
    return identity.authenticate(request.presented());
  }

  Problem refuses(Request request, Code code) {
    Problem problem = problemOf(() -> identity.authenticate(request.presented()));
    assertThat(problem.code()).as(problem.message()).isEqualTo(code);
    return problem;
  }

  static Problem problemOf(Runnable asked) {
    Refused refused = catchThrowableOfType(Refused.class, asked::run);
    assertThat(refused).as("was admitted").isNotNull();
    return refused.problem();
  }

  String bootstrapToken() {
    try {
      return Files.readString(dir.resolve("bootstrap.token")).strip();
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
  }

  @Override
  public void close() {
    identity.close();
  }
}
