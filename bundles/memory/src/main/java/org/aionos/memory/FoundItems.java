package org.aionos.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.kernel.AgentId;
import org.aionos.words.Language;
import org.aionos.words.Stemming;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.FSDirectory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Items that are found by what they say. The truth is in {@link RocksItems}; beside it stands an
 * index (Lucene) of the words and vectors of each. The index is committed now and then, and what
 * changed since is indexed again at the next start, so that nothing acknowledged is missing from
 * either.
 *
 * <p>A search sees all that was written before it. Filters are part of what the index is asked, so
 * that the best of the admitted are found and not the admitted of the best; the truth is asked
 * again for each hit.
 */
final class FoundItems implements ItemStore {

  private static final Logger log = LoggerFactory.getLogger(FoundItems.class);

  private static final String ID = "id";
  private static final String OWNER = "owner";
  private static final String EXPIRES = "expires";
  private static final String VECTOR = "vector_";

  private static final int STEMS_MAX = 64;
  private static final int TEXT_LENGTH_MAX = 64_000;

  /**
   * Asking the graph for more than is wanted finds better: 0.90 to 0.998 of the exact neighbours.
   */
  private static final int OVERSAMPLING = 5;

  /** Of reciprocal rank fusion (Cormack, Clarke, Büttcher 2009), as in that paper. */
  private static final double FUSION_RANK = 60;

  private static final long COMMIT_MILLIS = 1_000;

  /**
   * What is looked for; at least one of the two.
   *
   * @param vector empty for none
   */
  record Probe(@Nullable String text, List<Float> vector, int k) {}

  /**
   * @param lexical score by words; null if it was not found by them
   * @param dense cosine similarity, mapped to 0 to 1; null likewise
   */
  record Hit(Item item, double score, @Nullable Float lexical, @Nullable Float dense) {}

  private final RocksItems truth;
  private final FSDirectory directory;
  private final Stemming stemming = new Stemming();
  private final IndexWriter writer;
  private final SearcherManager searchers;
  private final ConcurrentSkipListSet<Long> indexing = new ConcurrentSkipListSet<>();
  private final AtomicLong lastBegun = new AtomicLong();
  private final AtomicBoolean uncommitted = new AtomicBoolean();
  private final ScheduledExecutorService committing =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "aion-memory-commit");
            thread.setDaemon(true);
            return thread;
          });

  private FoundItems(RocksItems truth, Path folder) throws IOException {
    this.truth = truth;
    this.directory = FSDirectory.open(folder);
    this.writer =
        new IndexWriter(
            directory,
            new IndexWriterConfig(stemming.byField())
                .setRAMBufferSizeMB(16)
                .setMergeScheduler(new SerialMergeScheduler()));
    this.searchers = new SearcherManager(writer, null);
  }

  static FoundItems open(Path folder, boolean sync) {
    RocksItems truth = RocksItems.open(folder.resolve("items"), sync);
    try {
      FoundItems items = new FoundItems(truth, folder.resolve("index"));
      items.begin();
      return items;
    } catch (IOException unusable) {
      truth.close();
      throw new UncheckedIOException("the index of memory cannot be opened: " + folder, unusable);
    }
  }

  private void begin() {
    Collection<Place> missed =
        truth.follow(
            new RocksItems.Follower() {
              @Override
              public void writing(long change) {
                indexing.add(change);
                lastBegun.accumulateAndGet(change, Math::max);
              }

              @Override
              public void written(long change, Collection<Place> places) {
                index(places);
                indexing.remove(change);
              }
            });
    index(missed);
    if (!missed.isEmpty()) {
      log.info("memory indexed again what a former run had not committed: items={}", missed.size());
    }
    committing.scheduleWithFixedDelay(
        this::commitOrLog, COMMIT_MILLIS, COMMIT_MILLIS, TimeUnit.MILLISECONDS);
  }

  private void commitOrLog() {
    try {
      commit();
    } catch (IOException | RuntimeException failed) {
      log.error("the index of memory could not be committed; it is tried again", failed);
    }
  }

  /** What is indexed by now is on disk afterwards, and its changes are forgotten. */
  void commit() throws IOException {
    if (!uncommitted.getAndSet(false)) {
      return;
    }
    long upTo = lastBegun.get();
    Long oldest = indexing.isEmpty() ? null : indexing.first();
    if (oldest != null) {
      upTo = Math.min(upTo, oldest - 1);
      uncommitted.set(true);
    }
    try {
      writer.commit();
      truth.forget(upTo);
    } catch (IOException | RuntimeException failed) {
      uncommitted.set(true);
      throw failed;
    }
  }

  /**
   * Writers of one tenant take turns, and this is part of their turn: the last to write is the last
   * here.
   */
  private void index(Collection<Place> places) {
    try {
      for (Place place : places) {
        Item item = truth.get(place, Instant.EPOCH).orElse(null);
        if (item == null) {
          writer.deleteDocuments(new Term(ID, id(place)));
        } else {
          writer.updateDocument(new Term(ID, id(place)), document(item));
        }
      }
      uncommitted.set(true);
    } catch (IOException unwritten) {
      throw new UncheckedIOException(unwritten);
    }
  }

  private static String id(Place place) {
    return String.join("\0", owner(place.agent()), place.task(), place.key());
  }

  private static String owner(AgentId agent) {
    return agent.tenant() + "\0" + agent.name();
  }

  private static Document document(Item item) {
    Document document = new Document();
    document.add(new StringField(ID, id(item.place()), Field.Store.NO));
    document.add(new StoredField("task", item.place().task()));
    document.add(new StoredField("key", item.place().key()));
    document.add(new StringField(OWNER, owner(item.place().agent()), Field.Store.NO));
    Instant expires = item.expiresAt();
    document.add(new LongPoint(EXPIRES, expires == null ? Long.MAX_VALUE : expires.toEpochMilli()));
    String text = text(item.content().value());
    if (!text.isBlank()) {
      document.add(new TextField(Language.of(text).bodyField, text, Field.Store.NO));
    }
    if (!item.content().vector().isEmpty()) {
      float[] vector = array(item.content().vector());
      document.add(
          new KnnFloatVectorField(VECTOR + vector.length, vector, VectorSimilarityFunction.COSINE));
    }
    IndexedFilter.addTo(document, item);
    return document;
  }

  /** All texts in a value, one after the other. */
  private static String text(@Nullable Object value) {
    StringBuilder text = new StringBuilder();
    collect(value, text);
    return text.substring(0, Math.min(text.length(), TEXT_LENGTH_MAX));
  }

  private static void collect(@Nullable Object value, StringBuilder text) {
    if (value instanceof String some) {
      text.append(some).append('\n');
    } else if (value instanceof Map<?, ?> map) {
      map.values().forEach(each -> collect(each, text));
    } else if (value instanceof List<?> list) {
      list.forEach(each -> collect(each, text));
    }
  }

  private static float[] array(List<Float> vector) {
    float[] array = new float[vector.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = vector.get(i);
    }
    return array;
  }

  // --- finding --------------------------------------------------------------------------------

  /** The best first; at most {@code k}. */
  List<Hit> find(AgentId agent, Filter filter, Probe probe, Instant now) {
    try {
      searchers.maybeRefreshBlocking();
      IndexSearcher searcher = searchers.acquire();
      try {
        return fused(searcher, agent, filter, probe, now);
      } finally {
        searchers.release(searcher);
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private List<Hit> fused(
      IndexSearcher searcher, AgentId agent, Filter filter, Probe probe, Instant now)
      throws IOException {
    Query admitted =
        new BooleanQuery.Builder()
            .add(new TermQuery(new Term(OWNER, owner(agent))), BooleanClause.Occur.FILTER)
            .add(
                LongPoint.newRangeQuery(EXPIRES, now.toEpochMilli(), Long.MAX_VALUE),
                BooleanClause.Occur.FILTER)
            .add(IndexedFilter.superset(filter), BooleanClause.Occur.FILTER)
            .build();
    int asked = probe.k() * OVERSAMPLING;
    ScoreDoc[] lexical =
        probe.text() == null ? new ScoreDoc[0] : lexical(searcher, probe.text(), admitted, asked);
    ScoreDoc[] dense =
        probe.vector().isEmpty()
            ? new ScoreDoc[0]
            : dense(searcher, probe.vector(), admitted, asked);
    Map<Integer, Float> byWords = scores(lexical);
    Map<Integer, Float> byVector = scores(dense);
    boolean both = probe.text() != null && !probe.vector().isEmpty();
    Map<Integer, Double> ranked = new LinkedHashMap<>();
    rank(lexical, both, ranked);
    rank(dense, both, ranked);
    List<Hit> hits = new ArrayList<>();
    for (Map.Entry<Integer, Double> ranking : bestFirst(ranked)) {
      int document = ranking.getKey();
      if (hits.size() == probe.k()) {
        break;
      }
      Document found = searcher.storedFields().document(document);
      Place place = new Place(agent, found.get("task"), found.get("key"));
      Item item = truth.get(place, now).filter(filter::admits).orElse(null);
      if (item != null) {
        hits.add(new Hit(item, ranking.getValue(), byWords.get(document), byVector.get(document)));
      }
    }
    return hits;
  }

  private static List<Map.Entry<Integer, Double>> bestFirst(Map<Integer, Double> ranked) {
    return ranked.entrySet().stream()
        .sorted(Map.Entry.<Integer, Double>comparingByValue().reversed())
        .toList();
  }

  private ScoreDoc[] lexical(IndexSearcher searcher, String text, Query admitted, int asked)
      throws IOException {
    List<Query> languages = new ArrayList<>();
    for (Language language : Language.values()) {
      BooleanQuery.Builder words = new BooleanQuery.Builder();
      for (String stem : stemming.stems(language, text, STEMS_MAX)) {
        words.add(new TermQuery(new Term(language.bodyField, stem)), BooleanClause.Occur.SHOULD);
      }
      languages.add(words.build());
    }
    Query query =
        new BooleanQuery.Builder()
            .add(new DisjunctionMaxQuery(languages, 0), BooleanClause.Occur.MUST)
            .add(admitted, BooleanClause.Occur.FILTER)
            .build();
    return searcher.search(query, asked).scoreDocs;
  }

  private static ScoreDoc[] dense(
      IndexSearcher searcher, List<Float> vector, Query admitted, int asked) throws IOException {
    float[] array = array(vector);
    return searcher.search(
            new KnnFloatVectorQuery(VECTOR + array.length, array, asked, admitted), asked)
        .scoreDocs;
  }

  private static Map<Integer, Float> scores(ScoreDoc[] docs) {
    Map<Integer, Float> scores = new HashMap<>();
    for (ScoreDoc each : docs) {
      scores.put(each.doc, each.score);
    }
    return scores;
  }

  /** Alone, a list keeps its scores; two are fused by their ranks, since scores do not compare. */
  private static void rank(ScoreDoc[] docs, boolean fused, Map<Integer, Double> ranked) {
    for (int rank = 0; rank < docs.length; rank++) {
      double score = fused ? 1 / (FUSION_RANK + rank + 1) : docs[rank].score;
      ranked.merge(docs[rank].doc, score, Double::sum);
    }
  }

  // --- the rest is the truth's ----------------------------------------------------------------

  @Override
  public List<Item> put(List<Wish> wishes, String writtenBy, long bytesMax, Instant now) {
    return truth.put(wishes, writtenBy, bytesMax, now);
  }

  @Override
  public Optional<Item> get(Place place, Instant now) {
    return truth.get(place, now);
  }

  @Override
  public Page query(Selection selection, Instant now) {
    return truth.query(selection, now);
  }

  @Override
  public Optional<Item> pin(Place place, boolean pinned, Instant now) {
    return truth.pin(place, pinned, now);
  }

  @Override
  public boolean delete(Place place, Instant now) {
    return truth.delete(place, now);
  }

  @Override
  public int sweep(Instant now, int max) {
    return truth.sweep(now, max);
  }

  @Override
  public long bytes(String tenant) {
    return truth.bytes(tenant);
  }

  @Override
  public void close() {
    committing.shutdownNow();
    try {
      if (!committing.awaitTermination(30, TimeUnit.SECONDS)) {
        log.warn("the index of memory is still being committed");
      }
      commit();
      searchers.close();
      writer.close();
      directory.close();
    } catch (IOException failed) {
      log.error(
          "the index of memory was not closed cleanly; what is missing is indexed again", failed);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    } finally {
      stemming.close();
      truth.close();
    }
  }
}
