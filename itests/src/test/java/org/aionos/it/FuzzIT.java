package org.aionos.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.LongAdder;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Requests that are wrong in every way a seed can think of. The kernel blames the caller each time,
 * and neither hangs nor swells nor blames itself.
 */
@Tag("soak")
@Order(13)
class FuzzIT {

  private static final int REQUESTS = Integer.getInteger("soak.requests", 3_000);
  private static final long SEED = Long.getLong("soak.seed", 20260101L);
  private static final int CLIENTS = 4;
  private static final Duration ANSWER_MAX = Duration.ofSeconds(20);

  /** What a kernel of this size holds after a garbage collection is about 40 MB. */
  private static final long HEAP_MB_MAX = 128;

  private static final Pattern USED =
      Pattern.compile("(?:new generation|tenured generation).*?used (\\d+)K");
  private static final String TARGET = "/v1/syscall/tool.invoke";
  private static final String[] VALUES = {
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "1e-999",
    "123456789012345678901234567890",
    "\"\"",
    "[]",
    "{}",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\uD83D\uDE80\"",
    "[[[[]]]]",
    "{\"a\":{\"b\":null}}",
    "\"agent://tenantA/researcher-1\"",
    "\"agent://../..\"",
    "NaN",
    "'x'",
    "tru",
    "\"" + "y".repeat(3_000) + "\""
  };

  private final Map<String, LongAdder> counts = new ConcurrentSkipListMap<>();
  private final Queue<String> faults = new ConcurrentLinkedQueue<>();
  private RunningKernel kernel;

  @Test
  void no_request_makes_the_kernel_fail_hang_or_swell() throws Exception {
    try (RunningKernel started =
        RunningKernel.named("fuzz")
            // So that the reason is told each time, and not only that there were too many.
            .with("AION_GATEWAY_STRANGER_CALLS_PER_SECOND_MAX", "1000000")
            .start()) {
      kernel = started;
      long begun = System.nanoTime();
      ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
      List<Future<Void>> running = new ArrayList<>();
      for (int i = 0; i < CLIENTS; i++) {
        Random random = new Random(SEED + i);
        running.add(clients.submit((Callable<Void>) () -> fuzz(random)));
      }
      for (Future<Void> each : running) {
        each.get();
      }
      clients.shutdown();

      Map<String, Long> counted = new TreeMap<>();
      counts.forEach((outcome, count) -> counted.put(outcome, count.sum()));
      System.out.println(
          "fuzz: "
              + REQUESTS
              + " requests, seed "
              + SEED
              + ", "
              + (System.nanoTime() - begun) / 1_000_000_000
              + " s: "
              + counted);
      assertThat(faults).isEmpty();
      kernel.invoke("echo", Map.of("text", "still here")).expect(200);
      long heapMb = heapKilobytes() / 1_024;
      System.out.println("fuzz: heap after garbage collection: " + heapMb + " MB");
      assertThat(heapMb).isLessThan(HEAP_MB_MAX);
      assertThat(kernel.log()).doesNotContain("kernel fault");
      assertThat(kernel.auditVerify().exit()).isZero();
    } catch (ExecutionException failed) {
      throw new AssertionError("a client failed", failed.getCause());
    }
  }

  private Void fuzz(Random random) {
    for (int i = 0; i < REQUESTS / CLIENTS; i++) {
      switch (random.nextInt(8)) {
        case 0, 1 -> signed("body mutated, then signed", random, true);
        case 2 -> signed("body mutated after signing", random, false);
        case 3 -> raw("request line", requestLine(random));
        case 4 -> raw("headers", headers(random));
        case 5 -> raw("random bytes", bytes(random, 1 + random.nextInt(400)));
        case 6 -> raw("chunks", chunks(random));
        default -> raw("pipelined", pipelined(random));
      }
    }
    return null;
  }

  // --- what is sent ---------------------------------------------------------------------------

  private void signed(String kind, Random random, boolean signLast) {
    byte[] good = body();
    byte[] mutated = mutated(good, random);
    Map<String, String> headers =
        RunningKernel.RESEARCHER_V1.headers("POST", TARGET, signLast ? mutated : good);
    try {
      Answer answer = kernel.send("POST", TARGET, headers, mutated);
      judge(kind, Optional.of(answer), mutated);
    } catch (IOException failed) {
      faults.add(kind + ": " + failed + " for " + new String(mutated, ISO_8859_1));
    }
  }

  private void raw(String kind, byte[] request) {
    long begun = System.nanoTime();
    try {
      judge(kind, RawHttp.send(kernel.port(), request, ANSWER_MAX), request);
    } catch (IOException | RuntimeException failed) {
      faults.add(kind + ": " + failed + " for " + new String(request, ISO_8859_1));
    }
    if (System.nanoTime() - begun > ANSWER_MAX.toNanos()) {
      faults.add(kind + " hung: " + new String(request, ISO_8859_1));
    }
  }

  private void judge(String kind, Optional<Answer> answer, byte[] request) {
    String outcome = answer.map(each -> Integer.toString(each.status())).orElse("closed");
    counts.computeIfAbsent(kind + " " + outcome, absent -> new LongAdder()).increment();
    if (answer.isEmpty()) {
      if (kind.startsWith("body")) {
        faults.add(kind + ": closed without an answer: " + new String(request, ISO_8859_1));
      }
      return;
    }
    int status = answer.get().status();
    // A mutation may leave a good request good; none may make the kernel blame itself.
    boolean fine = status == 200 ? !kind.contains("after signing") : status / 100 == 4;
    if (!fine && faults.size() < 20) {
      String sent = new String(request, ISO_8859_1);
      faults.add(
          kind + ": " + answer.get() + " for " + sent.substring(0, Math.min(600, sent.length())));
    }
  }

  private static byte[] body() {
    var body = RunningKernel.syscall("tool.invoke", RunningKernel.RESEARCHER);
    body.putObject("context").put("task_id", "t-1").put("trace_id", "tr-1");
    body.putArray("caps_required").add("network");
    body.withObject("/params")
        .put("tool", "echo")
        .put("text", "fuzz")
        .putArray("more")
        .add(1)
        .add("x");
    body.putObject("budget").put("usd_max", 0.05);
    return RunningKernel.bytes(body);
  }

  private static byte[] mutated(byte[] good, Random random) {
    byte[] bytes = good.clone();
    for (int i = 0; i <= random.nextInt(3); i++) {
      bytes = mutatedOnce(bytes, random);
    }
    // One that came out as it went in would rightly be taken.
    return Arrays.equals(bytes, good) ? Arrays.copyOf(good, good.length - 1) : bytes;
  }

  private static byte[] mutatedOnce(byte[] bytes, Random random) {
    if (bytes.length < 2) {
      return new byte[] {'{'};
    }
    int at = random.nextInt(bytes.length);
    String text = new String(bytes, UTF_8);
    return switch (random.nextInt(7)) {
      case 0 -> {
        bytes[at] = (byte) random.nextInt(256);
        yield bytes;
      }
      case 1 -> Arrays.copyOf(bytes, at);
      case 2 ->
          joined(
              Arrays.copyOf(bytes, at),
              Arrays.copyOfRange(
                  bytes, Math.min(bytes.length, at + 1 + random.nextInt(8)), bytes.length));
      case 3 ->
          joined(
              Arrays.copyOf(bytes, at),
              bytes(random, 1 + random.nextInt(6)),
              Arrays.copyOfRange(bytes, at, bytes.length));
      case 4 -> replacedValue(text, random).getBytes(UTF_8);
      case 5 -> joined(bytes, bytes);
      default -> text.replaceFirst("\"(\\w+)\":", "\"$1\":1,\"$1\":").getBytes(UTF_8);
    };
  }

  /** Puts another value behind some colon. */
  private static String replacedValue(String text, Random random) {
    List<Integer> colons = new ArrayList<>();
    for (int at = text.indexOf("\":"); at >= 0; at = text.indexOf("\":", at + 1)) {
      colons.add(at + 2);
    }
    if (colons.isEmpty()) {
      return text + "}";
    }
    int from = colons.get(random.nextInt(colons.size()));
    int to = from;
    while (to < text.length() && ",}]".indexOf(text.charAt(to)) < 0) {
      to++;
    }
    return text.substring(0, from) + VALUES[random.nextInt(VALUES.length)] + text.substring(to);
  }

  private static byte[] requestLine(Random random) {
    String[] methods = {
      "GET", "POST", "get", "BREW", "G\0T", "", "OPTIONS", "CONNECT", "TRACE", "PRI", "HEAD"
    };
    String[] targets = {
      "/healthz",
      "/%",
      "/%zz",
      "/v1/agents/%00",
      "/v1/agents/%c0%af",
      "//",
      "/../..",
      "/v1/syscall/..%2f",
      "*",
      "",
      "http://[",
      "http://x/healthz",
      "/a b",
      "/;x=y/v1",
      "/v1/agents/" + "a".repeat(9_000),
      "/?%",
      "/v1/syscalls?limit=%zz",
      "\u00e9",
      "host:80",
      "/v1/agent/register/"
    };
    String[] versions = {
      "HTTP/1.1",
      "HTTP/1.0",
      "HTTP/0.9",
      "HTTP/2.0",
      "HTTP/3.0",
      "HTTP/11",
      "HTTP",
      "",
      "http/1.1",
      "HTTP/1.1 x"
    };
    return ascii(
        pick(methods, random)
            + " "
            + pick(targets, random)
            + " "
            + pick(versions, random)
            + "\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  private static byte[] headers(Random random) {
    String[] lines = {
      "Host: x",
      "Host: x\r\nHost: y",
      "Host",
      ": x",
      "Host : x",
      " Host: x",
      "X\0: y",
      "X: \0",
      "Content-Length: -1",
      "Content-Length: 5x",
      "Content-Length: 99999999999999999999",
      "Content-Length: 3\r\nContent-Length: 4",
      "Transfer-Encoding: gzip",
      "Transfer-Encoding: chunked, chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 4",
      "Expect: 100-continue",
      "Expect: a-lot",
      "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: %%%",
      "Upgrade: websocket\r\nConnection: Upgrade",
      "Authorization: Bearer",
      "Authorization: Bearer \u00ff",
      "Authorization: Bearer a.b.c",
      "Authorization: Basic eDp5",
      "X-Tenant-Id: tenantA\r\nX-Sig-Version: 2",
      "X-Tenant-Id: tenantA\r\nX-Sig-Version: 3\r\nX-Sig-HMAC: 00",
      "X-Tenant-Id: " + "t".repeat(5_000),
      "Content-Type: ;;;",
      "Content-Encoding: br",
      "Cookie: " + "c=d;".repeat(50),
      "Range: bytes=0-1",
      "\tfolded: x"
    };
    StringBuilder request =
        new StringBuilder(random.nextBoolean() ? "POST " + TARGET : "GET /v1/agents")
            .append(" HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i <= random.nextInt(3); i++) {
      request.append(pick(lines, random)).append(random.nextInt(10) == 0 ? "\n" : "\r\n");
    }
    return ascii(request + "\r\n{}{}");
  }

  private static byte[] chunks(Random random) {
    String[] bodies = {
      "zz\r\nabc\r\n0\r\n\r\n",
      "3\r\nabcdef\r\n0\r\n\r\n",
      "-1\r\n\r\n",
      "ffffffffffffffff\r\nabc",
      "3\r\nab",
      "3;ext=\"\r\nabc\r\n0\r\n\r\n",
      "0\r\nTrailer\r\n\r\n",
      "3\nabc\n0\n\n",
      "\r\n\r\n",
      "3\r\nabc\r\n"
    };
    return ascii(
        "POST "
            + TARGET
            + " HTTP/1.1\r\nHost: x\r\nX-Tenant-Id: tenantA\r\nX-Sig-HMAC: "
            + "0".repeat(64)
            + "\r\nTransfer-Encoding: chunked\r\n\r\n"
            + pick(bodies, random));
  }

  private static byte[] pipelined(Random random) {
    byte[] first =
        ascii(
            "POST "
                + TARGET
                + " HTTP/1.1\r\nHost: x\r\nX-Tenant-Id: tenantA\r\nX-Sig-HMAC: "
                + "0".repeat(64)
                + "\r\nContent-Length: "
                + random.nextInt(6)
                + "\r\n\r\nabc");
    return joined(first, bytes(random, 100), requestLine(random));
  }

  // --- bits -----------------------------------------------------------------------------------

  private long heapKilobytes() {
    kernel.jcmd("GC.run");
    return USED.matcher(kernel.jcmd("GC.heap_info"))
        .results()
        .mapToLong(each -> Long.parseLong(each.group(1)))
        .sum();
  }

  private static String pick(String[] all, Random random) {
    return all[random.nextInt(all.length)];
  }

  private static byte[] bytes(Random random, int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return bytes;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(ISO_8859_1);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }
}
