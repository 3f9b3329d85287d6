package org.aionos.memory;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import org.HdrHistogram.Histogram;
import org.aionos.embedding.Embedders;
import org.aionos.items.Items;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Embedder;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Provenance;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;

/**
 * What memory finds, and how long it takes, without HTTP and the spine.
 *
 * <pre>MemoryBenchmark FOLDER VECTORS [DATA]</pre>
 *
 * <p>{@code DATA} holds {@code persianqa-dev.json} (PersianQA) and {@code locomo-dev.json}
 * (LoCoMo), which are not part of this repository; without it that part is left out.
 */
public final class MemoryBenchmark {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final AgentId AGENT = new AgentId("bench", "agent");
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");
  private static final long ROOM = Long.MAX_VALUE / 4;
  private static final int DIMENSIONS = 384;
  private static final int CLUSTERS = 1_000;
  private static final int NEIGHBOURS = 10;
  private static final int QUERIES = 500;
  private static final int COMPARED_MAX = 200_000;

  private MemoryBenchmark() {}

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    NativeLibrary.load(folder.resolve("native"), "bench");
    Embedder embedder = Embedders.bundled(folder.resolve("embedding"));
    if (arguments.length > 2) {
      Path data = Path.of(arguments[2]);
      persianQa(folder, data.resolve("persianqa-dev.json"), embedder);
      loCoMo(folder, data.resolve("locomo-dev.json"), embedder);
    }
    puts(folder, embedder);
    neighbours(folder, Integer.parseInt(arguments[1]));
  }

  private static void say(String format, Object... figures) {
    System.out.println(String.format(Locale.ROOT, format, figures));
  }

  private static Items.Wish wish(
      String key, String text, Map<String, Object> meta, float... vector) {
    return new Items.Wish(
        new Place(AGENT, "", key),
        new Item.Content(text, meta, List.of(), vector.length == 0 ? null : Vector.of(vector)),
        false,
        Duration.ofDays(30),
        null,
        Provenance.own("sc-1"),
        null);
  }

  /** As the service does: a text whose language the model knows has an embedding. */
  private static Items.Wish wish(String key, String text, Embedder embedder) {
    Items.Wish bare = wish(key, text, Map.of());
    return embedder.knows(text)
        ? new Items.Wish(
            bare.place(),
            bare.content(),
            false,
            bare.ttl(),
            null,
            bare.provenance(),
            new Embedding(embedder.identity(), embedder.embed(List.of(text)).get(0)))
        : bare;
  }

  private static void put(ItemStore store, List<Items.Wish> wishes) {
    new Items(store, Duration.ZERO).put(wishes, ROOM, NOW);
  }

  private static List<String> find(FoundItems items, String text, Embedder embedder, int k) {
    Embedding embedding =
        embedder.knows(text) ? new Embedding(embedder.identity(), embedder.probe(text)) : null;
    return items
        .find(AGENT, Filter.ANY, new Probe(text, null, embedding, k, Probe.Boosts.NONE), NOW)
        .stream()
        .map(hit -> hit.item().place().key())
        .toList();
  }

  /** Which paragraph answers a question: is it the first that is found? */
  private static void persianQa(Path folder, Path file, Embedder embedder) throws IOException {
    FoundItems items = FoundItems.open(folder.resolve("persianqa"), false);
    List<String[]> questions = new ArrayList<>();
    int paragraphs = 0;
    for (JsonNode article : JSON.readTree(file.toFile()).get("data")) {
      for (JsonNode paragraph : article.get("paragraphs")) {
        String key = "p" + paragraphs++;
        put(items, List.of(wish(key, paragraph.get("context").asText(), embedder)));
        for (JsonNode qa : paragraph.get("qas")) {
          if (!qa.path("is_impossible").asBoolean()) {
            questions.add(new String[] {qa.get("question").asText(), key});
          }
        }
      }
    }
    int first = 0;
    int amongFive = 0;
    for (String[] question : questions) {
      List<String> found = find(items, question[0], embedder, 5);
      first += !found.isEmpty() && found.get(0).equals(question[1]) ? 1 : 0;
      amongFive += found.contains(question[1]) ? 1 : 0;
    }
    items.close();
    say(
        "PersianQA: recall@1 %.3f, recall@5 %.3f  (%d questions, %d paragraphs)",
        (double) first / questions.size(),
        (double) amongFive / questions.size(),
        questions.size(),
        paragraphs);
  }

  /** Which turn of a conversation is the evidence of an answer: is one among the first ten? */
  private static void loCoMo(Path folder, Path file, Embedder embedder) throws IOException {
    int hits = 0;
    int asked = 0;
    int conversation = 0;
    for (JsonNode sample : JSON.readTree(file.toFile())) {
      FoundItems items = FoundItems.open(folder.resolve("locomo" + conversation++), false);
      JsonNode sessions = sample.get("conversation");
      for (int session = 1; sessions.has("session_" + session); session++) {
        for (JsonNode turn : sessions.get("session_" + session)) {
          String text = turn.get("speaker").asText() + ": " + turn.get("text").asText();
          put(items, List.of(wish(turn.get("dia_id").asText(), text, embedder)));
        }
      }
      for (JsonNode qa : sample.get("qa")) {
        List<String> evidence = new ArrayList<>();
        qa.path("evidence").forEach(each -> evidence.add(each.asText()));
        if (!evidence.isEmpty()) {
          asked++;
          hits +=
              find(items, qa.get("question").asText(), embedder, 10).stream()
                      .anyMatch(evidence::contains)
                  ? 1
                  : 0;
        }
      }
      items.close();
    }
    say(
        "LoCoMo: hit@10 %.3f  (%d questions, %d conversations)",
        (double) hits / asked, asked, conversation);
  }

  private static void puts(Path folder, Embedder embedder) {
    String[] words =
        "the agent of a tenant remembers what it has found and finds it again when a task asks"
            .split(" ");
    try (ItemStore small = RocksItems.open(folder.resolve("short"), false);
        FoundItems large = FoundItems.open(folder.resolve("puts"), false)) {
      say("put short: %s", puts(small, words, 20_000, null));
      say("put long, 20 words, not embedded: %s", puts(large, words, 20_000, null));
      say("put long, 20 words, embedded: %s", puts(large, words, 2_000, embedder));
    }
  }

  private static String puts(
      ItemStore items, String[] words, int count, @Nullable Embedder embedder) {
    Random random = new Random(1);
    Histogram nanos = new Histogram(3);
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder();
      for (int w = 0; w < 20; w++) {
        text.append(words[random.nextInt(words.length)]).append(' ');
      }
      long begun = System.nanoTime();
      put(
          items,
          List.of(
              embedder == null
                  ? wish("k" + i, text.toString(), Map.of("n", i))
                  : wish("e" + i, text.toString(), embedder)));
      if (i >= count / 4) {
        nanos.recordValue(System.nanoTime() - begun);
      }
    }
    return percentiles(nanos);
  }

  private static String percentiles(Histogram nanos) {
    return String.format(
        Locale.ROOT,
        "p50 %.3f ms, p99 %.3f ms, max %.1f ms",
        nanos.getValueAtPercentile(50) / 1e6,
        nanos.getValueAtPercentile(99) / 1e6,
        nanos.getMaxValue() / 1e6);
  }

  /** Vectors around so many centres, as embeddings of texts lie around topics. */
  private static void neighbours(Path folder, int count) {
    Random random = new Random(7);
    float[][] centres = new float[CLUSTERS][];
    for (int c = 0; c < CLUSTERS; c++) {
      centres[c] = around(new float[DIMENSIONS], 1, random);
    }
    // Of more, the exact neighbours are not known: they would be most of the heap.
    float[][] vectors = new float[Math.min(count, COMPARED_MAX)][];
    long begun = System.nanoTime();
    Path place = folder.resolve("vectors");
    try (FoundItems items = FoundItems.open(place, false)) {
      List<Items.Wish> batch = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        float[] vector = around(centres[random.nextInt(CLUSTERS)], 0.5f, random);
        if (count <= COMPARED_MAX) {
          vectors[i] = vector;
        }
        batch.add(wish("v" + i, "", Map.of("tenth", i % 10, "hundredth", i % 100), vector));
        if (batch.size() == 100 || i == count - 1) {
          put(items, List.copyOf(batch));
          batch.clear();
        }
      }
      say("put %,d vectors of %d: %.0f s", count, DIMENSIONS, (System.nanoTime() - begun) / 1e9);
      measure(items, count, vectors, centres, "while segments merge", Filter.ANY, 1, random);
    }
    try (FoundItems items = FoundItems.open(place, false)) {
      measure(items, count, vectors, centres, "no filter", Filter.ANY, 1, random);
      Filter tenth = new Filter.Meta("tenth", "eq", 3);
      measure(items, count, vectors, centres, "10 % admitted", tenth, 10, random);
      Filter hundredth = new Filter.Meta("hundredth", "eq", 3);
      measure(items, count, vectors, centres, "1 % admitted", hundredth, 100, random);
    }
    Runtime.getRuntime().gc();
    say(
        "heap %d MB of %d MB",
        (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) >> 20,
        Runtime.getRuntime().maxMemory() >> 20);
  }

  private static void measure(
      FoundItems items,
      int count,
      float[][] vectors,
      float[][] centres,
      String name,
      Filter filter,
      int every,
      Random random) {
    Histogram nanos = new Histogram(3);
    double recalled = 0;
    for (int query = -50; query < QUERIES; query++) {
      float[] probe = around(centres[random.nextInt(CLUSTERS)], 0.5f, random);
      Probe wanted = new Probe(null, Vector.of(probe), null, NEIGHBOURS, Probe.Boosts.NONE);
      long begun = System.nanoTime();
      List<Hit> hits = items.find(AGENT, filter, wanted, NOW);
      long took = System.nanoTime() - begun;
      if (query >= 0) {
        nanos.recordValue(took);
        if (count > COMPARED_MAX) {
          continue;
        }
        List<String> exact = exact(vectors, probe, every);
        recalled +=
            hits.stream().filter(hit -> exact.contains(hit.item().place().key())).count()
                / (double) exact.size();
      }
    }
    String recall =
        count > COMPARED_MAX ? "" : String.format(Locale.ROOT, "recall %.3f, ", recalled / QUERIES);
    say("nearest %d of %,d, %s: %s%s", NEIGHBOURS, count, name, recall, percentiles(nanos));
  }

  private static float[] around(float[] centre, float spread, Random random) {
    float[] vector = new float[DIMENSIONS];
    double length = 0;
    for (int d = 0; d < DIMENSIONS; d++) {
      vector[d] =
          centre[d] + spread * (float) random.nextGaussian() / (float) Math.sqrt(DIMENSIONS);
      length += vector[d] * (double) vector[d];
    }
    for (int d = 0; d < DIMENSIONS; d++) {
      vector[d] /= (float) Math.sqrt(length);
    }
    return vector;
  }

  private static List<String> exact(float[][] vectors, float[] probe, int every) {
    record Near(int index, double similarity) {}
    PriorityQueue<Near> nearest = new PriorityQueue<>(Comparator.comparingDouble(Near::similarity));
    for (int i = every == 1 ? 0 : 3; i < vectors.length; i += every) {
      double dot = 0;
      for (int d = 0; d < DIMENSIONS; d++) {
        dot += vectors[i][d] * (double) probe[d];
      }
      nearest.add(new Near(i, dot));
      if (nearest.size() > NEIGHBOURS) {
        nearest.remove();
      }
    }
    return nearest.stream().map(near -> "v" + near.index()).toList();
  }
}
