package org.aionos.bench;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.aionos.bench.Requests.Signature;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.gateway.AnswerWriting;
import org.aionos.identity.Identities;
import org.aionos.identity.IdentityComponent;
import org.aionos.journal.JournalComponent;
import org.aionos.journal.Journals;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Presented;
import org.aionos.kernel.Reply;
import org.aionos.telemetry.PrometheusMeters;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What a call costs around the spine, part by part, on one thread. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
    value = 2,
    jvmArgsAppend = {"-XX:+UseSerialGC", "-Xms64m", "-Xmx1g"})
public class EdgeBenchmark {

  private static final int TEXT_LENGTH = 1_000;

  private final Requests fresh = new Requests(Signature.V2, TEXT_LENGTH);
  private final Presented v1 = presented(new Requests(Signature.V1, TEXT_LENGTH).next());
  private final Reply reply =
      new Reply(
          "sc-00000000002a",
          new Outcome.Ok(
              Map.of("text", "x".repeat(TEXT_LENGTH), "version", "1.0.0"),
              Outcome.Spent.NOTHING,
              new Outcome.Engine("module", "tooling/echo@1.0.0")),
          Duration.ofNanos(123_456));
  private Path folder = Path.of("");
  private @Nullable JournalComponent journal;
  private @Nullable IdentityComponent identity;

  @Setup
  public void open() throws IOException {
    folder = Files.createTempDirectory("aion-bench");
    journal =
        Journals.open(Files.createDirectories(folder.resolve("journal")), new PrometheusMeters());
    identity = Identities.open(Files.createDirectories(folder.resolve("identity")), journal);
  }

  @TearDown
  public void close() throws IOException, InterruptedException {
    if (identity != null && journal != null) {
      Identities.close(identity);
      Journals.close(journal);
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /** A v1 signature: HMAC over the body. */
  @Benchmark
  public @Nullable Caller authenticateV1() {
    return identity == null ? null : identity.authenticate(v1);
  }

  /** A v2 signature: digest of the body, HMAC over the head, the nonce taken; and made, by us. */
  @Benchmark
  public @Nullable Caller signAndAuthenticateV2() {
    return identity == null ? null : identity.authenticate(presented(fresh.next()));
  }

  /** The client's half of the one above. */
  @Benchmark
  public Presented signV2() {
    return presented(fresh.next());
  }

  /** The body's bytes to checked fields. */
  @Benchmark
  public Fields readRequest() throws InvalidDocument {
    Fields fields =
        Documents.json(v1.body())
            .only("schema", "syscall", "agent_id", "context", "caps_required", "params", "budget");
    fields.object("context").only("task_id", "trace_id", "idempotency_key");
    fields.object("params");
    fields.object("budget").only("usd_max", "latency_ms");
    return fields;
  }

  /** The reply to the answer's bytes. */
  @Benchmark
  public byte[] writeAnswer() {
    return AnswerWriting.json(reply);
  }

  /** Takes a request apart as a server would. */
  private static Presented presented(ByteBuffer request) {
    byte[] bytes = request.array();
    String text = new String(bytes, ISO_8859_1);
    int bodyAt = text.indexOf("\r\n\r\n") + 4;
    Map<String, String> headers = new HashMap<>();
    for (String line : text.substring(0, bodyAt).split("\r\n")) {
      int colon = line.indexOf(": ");
      if (colon > 0) {
        headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 2));
      }
    }
    return new Presented(
        "POST",
        "/v1/syscall/tool.invoke",
        headers::get,
        Arrays.copyOfRange(bytes, bodyAt, bytes.length));
  }
}
