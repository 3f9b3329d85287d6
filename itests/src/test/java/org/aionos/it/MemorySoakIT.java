package org.aionos.it;

import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V1;
import static org.aionos.it.RunningKernel.syscall;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Memory through many crashes, and many updates of its bundles, under mixed load. */
@Tag("soak")
@Order(12)
class MemorySoakIT {

  private static final int CRASHES = Integer.getInteger("soak.crashes", 2);
  private static final int UPDATES = Integer.getInteger("soak.updates", 3);
  private static final int WRITERS = 3;
  private static final List<String> TYPES = List.of("short", "long", "episodic");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** One agent's memory as it was answered: what must be there, or must not. */
  private static final class Writer extends Thread {

    private final RunningKernel kernel;
    private final int number;
    private final Random random;

    /** By type and key the last value that was acknowledged; null for a delete. */
    final Map<String, String> acknowledged = new ConcurrentHashMap<>();

    /** Whose last call was not answered: it may have happened or not. */
    volatile String unanswered = "";

    final Map<String, Integer> oddities = new TreeMap<>();
    volatile int answered;
    volatile boolean ends;

    Writer(RunningKernel kernel, int number) {
      this.kernel = kernel;
      this.number = number;
      this.random = new Random(number);
    }

    @Override
    public void run() {
      while (!ends) {
        String type = TYPES.get(random.nextInt(TYPES.size()));
        String key = "w" + number + "-" + random.nextInt(200);
        boolean delete = random.nextInt(5) == 0;
        String value = "item " + answered + " of writer " + number;
        unanswered = type + " " + key;
        try {
          Answer answer =
              delete
                  ? call(kernel, "memory.delete", "{'type':'" + type + "','key':'" + key + "'}")
                  : put(kernel, type, key, value);
          if (answer.status() == 200) {
            acknowledged.put(unanswered, delete ? "" : value);
            answered++;
          } else if (answer.status() != 503) {
            oddities.merge(answer.status() + " " + answer.text(), 1, Integer::sum);
          }
          unanswered = answer.status() == 503 ? unanswered : "";
        } catch (RuntimeException | AssertionError gone) {
          // The kernel was killed.
          return;
        }
      }
    }
  }

  private static Answer call(RunningKernel kernel, String name, String params) {
    ObjectNode body = syscall(name, RESEARCHER);
    try {
      body.set("params", RunningKernel.JSON.readTree(params.replace('\'', '"')));
    } catch (IOException malformed) {
      throw new AssertionError(malformed);
    }
    return kernel.call(RESEARCHER_V1, "POST", "/v1/syscall/" + name, body);
  }

  private static Answer put(RunningKernel kernel, String type, String key, String value) {
    return call(
        kernel,
        "memory.put",
        "{'type':'" + type + "','key':'" + key + "','value':'" + value + "','ttl_s':86400}");
  }

  private static List<Writer> writers(RunningKernel kernel, int round) {
    List<Writer> writers = new ArrayList<>();
    for (int i = 0; i < WRITERS; i++) {
      writers.add(new Writer(kernel, round * WRITERS + i));
    }
    writers.forEach(Thread::start);
    return writers;
  }

  private static int answered(List<Writer> writers) {
    return writers.stream().mapToInt(writer -> writer.answered).sum();
  }

  private static void assertAllThere(RunningKernel kernel, List<Writer> writers) {
    for (Writer writer : writers) {
      assertThat(writer.oddities).isEmpty();
      writer.acknowledged.forEach(
          (place, value) -> {
            if (place.equals(writer.unanswered)) {
              return;
            }
            String[] typeAndKey = place.split(" ");
            Answer answer =
                call(
                    kernel,
                    "memory.get",
                    "{'type':'" + typeAndKey[0] + "','key':'" + typeAndKey[1] + "'}");
            if (value.isEmpty()) {
              answer.expect(404, "NOT_FOUND");
            } else {
              assertThat(answer.expect(200).at("/result/value")).as(place).isEqualTo(value);
            }
          });
    }
  }

  @Test
  void every_acknowledged_put_and_delete_outlives_a_kill() throws Exception {
    try (RunningKernel kernel = RunningKernel.named("memorycrash").bare().start()) {
      Random random = new Random(20_261_124);
      List<Writer> all = new ArrayList<>();
      for (int crash = 1; crash <= CRASHES; crash++) {
        List<Writer> writers = writers(kernel, crash);
        all.addAll(writers);
        int enough = 150 + random.nextInt(300);
        Await.until("some are answered", PATIENCE, () -> answered(writers) > enough);
        kernel.kill9();
        for (Writer writer : writers) {
          writer.join();
        }
        kernel.up();
        long begun = System.nanoTime();
        Await.until(
            "long memory is open",
            PATIENCE,
            () -> call(kernel, "memory.list", "{'type':'long','limit':1}").status() == 200);
        long openMillis = (System.nanoTime() - begun) / 1_000_000;
        assertAllThere(kernel, all);
        System.out.println(
            "memory crash "
                + crash
                + ": "
                + answered(writers)
                + " answered, all as acknowledged; long memory open after "
                + openMillis
                + " ms");
      }
      Writer last = all.get(all.size() - 1);
      Map.Entry<String, String> some =
          last.acknowledged.entrySet().stream()
              .filter(each -> each.getKey().startsWith("long ") && !each.getValue().isEmpty())
              .filter(each -> !each.getKey().equals(last.unanswered))
              .findFirst()
              .orElseThrow();
      assertThat(
              call(
                      kernel,
                      "memory.query",
                      "{'type':'long','knn':{'text':'" + some.getValue() + "','k':20}}")
                  .text())
          .contains(some.getValue());
      assertThat(kernel.auditVerify().exit()).isZero();
    }
  }

  @Test
  void its_bundles_are_updated_and_refreshed_under_load_and_leave_nothing() throws Exception {
    try (RunningKernel kernel = RunningKernel.named("memoryupdate").bare().start()) {
      List<Writer> writers = writers(kernel, 0);
      Await.until("all types are open", PATIENCE, () -> answered(writers) > 100);
      update(kernel, writers);
      long threads = threads(kernel);
      for (int update = 1; update <= UPDATES; update++) {
        update(kernel, writers);
      }
      writers.forEach(writer -> writer.ends = true);
      for (Writer writer : writers) {
        writer.join();
      }
      assertAllThere(kernel, writers);
      Await.until(
          "former lives are gone",
          PATIENCE,
          () ->
              loaded(kernel, "memory.Memory") == 1
                  && loaded(kernel, "embedding.TextEmbedder") == 1);
      // The index has two, and begins the second when it is needed.
      assertThat(threads(kernel)).isBetween(threads - 1, threads + 1);
      // A library goes with the class loader that loaded it, when the JVM collects that.
      assertThat(mapped(kernel, "librocksdbjni")).isLessThanOrEqualTo(2);
      System.out.println(
          "memory updates: "
              + UPDATES
              + " under load, "
              + answered(writers)
              + " answered; threads "
              + threads
              + ", rocksdb mapped "
              + mapped(kernel, "librocksdbjni")
              + " times, onnxruntime "
              + mapped(kernel, "libonnxruntime4j"));
    }
  }

  private static void update(RunningKernel kernel, List<Writer> writers) throws IOException {
    for (String bundle : List.of("memory", "embedding")) {
      Ssh.admin(kernel, "bundle:update org.aionos." + bundle);
      Ssh.admin(kernel, "bundle:refresh org.aionos." + bundle);
    }
    int before = answered(writers);
    Await.until("writing goes on", PATIENCE, () -> answered(writers) > before + 20);
  }

  private static long loaded(RunningKernel kernel, String name) {
    kernel.jcmd("GC.run");
    return Pattern.compile("org\\.aionos\\." + Pattern.quote(name) + "$", Pattern.MULTILINE)
        .matcher(kernel.jcmd("VM.classloaders", "show-classes"))
        .results()
        .count();
  }

  private static long threads(RunningKernel kernel) {
    return Pattern.compile("^\"aion-(memory|episod)", Pattern.MULTILINE)
        .matcher(kernel.jcmd("Thread.print"))
        .results()
        .count();
  }

  /** How many copies of a library the process has in its memory. */
  private static long mapped(RunningKernel kernel, String library) throws IOException {
    return Files.readAllLines(Path.of("/proc", Long.toString(kernel.pid()), "maps")).stream()
        .filter(line -> line.contains(library))
        .map(line -> line.substring(line.indexOf('/')))
        .distinct()
        .count();
  }
}
