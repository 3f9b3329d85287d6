package org.aionos.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.aionos.items.Fusion;
import org.aionos.items.ItemTexts;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.Probe;
import org.aionos.kernel.memory.Selection;
import org.aionos.kernel.memory.Vector;
import org.aionos.words.Language;
import org.aionos.words.Stemming;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.FieldType;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.ConcurrentMergeScheduler;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.IndexOptions;
import org.apache.lucene.index.IndexReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.MergePolicy;
import org.apache.lucene.index.MergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.index.TieredMergePolicy;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.ConjunctionUtils;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.LRUQueryCache;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryCache;
import org.apache.lucene.search.QueryCachingPolicy;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.SearcherFactory;
import org.apache.lucene.search.SearcherManager;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.VectorScorer;
import org.apache.lucene.search.Weight;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.search.similarities.Similarity;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.util.Bits;
import org.apache.lucene.util.VectorUtil;
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

  /** An index remembers its fields for ever: dimensions are few, and models the operator's. */
  private static final String EMBEDDING = "embedding_";

  /** Comparing so many takes some two milliseconds. */
  private static final int COMPARED_MAX = 12_000;

  private static final int STEMS_MAX = 64;
  private static final int GRAMS_MAX = 256;

  /** Their scores are higher than those of words, of which there are fewer. */
  private static final float GRAMS_WEIGHT = 0.3f;

  /** Better for short texts than Lucene's 1.2 and 0.75, as for Anserini's. */
  private static final Similarity SIMILARITY = new BM25Similarity(0.9f, 0.4f);

  /** Nobody asks for phrases, so where in a text a word stands is not kept. */
  private static final FieldType WORDS = new FieldType(TextField.TYPE_NOT_STORED);

  static {
    WORDS.setIndexOptions(IndexOptions.DOCS_AND_FREQS);
    WORDS.freeze();
  }

  private static final long COMMIT_MILLIS = 1_000;
  private static final int INDEX_THREADS = 2;

  /** More merges that wait hold writers back, so that there are never too many segments. */
  private static final int MERGES_MAX = 6;

  private static final int SEGMENTS_PER_TIER = 3;
  private static final int SEGMENT_MEGABYTES_MIN = 16;
  private static final int KEPT_QUERIES_MAX = 256;
  private static final long KEPT_BYTES_MAX = 16L << 20;

  /** What {@link #admitted} makes is all that is worth it. */
  private static final QueryCachingPolicy KEPT =
      new QueryCachingPolicy() {
        @Override
        public void onUse(Query query) {}

        @Override
        public boolean shouldCache(Query query) {
          return query instanceof BooleanQuery all
              && all.clauses().stream().allMatch(BooleanClause::isRequired)
              && all.clauses().stream().anyMatch(clause -> isOwner(clause.getQuery()));
        }

        private static boolean isOwner(Query query) {
          return query instanceof TermQuery term && term.getTerm().field().equals(OWNER);
        }
      };

  /** What expired within it may still be looked at, and is left out then. */
  private static final long EXPIRY_GRAIN_MILLIS = 10_000;

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

  /** Where the index is written and looked into anew: callers have deadlines. */
  private final Apart apart = new Apart("aion-memory-index", INDEX_THREADS);

  private FoundItems(RocksItems truth, Path folder) throws IOException {
    this.truth = truth;
    this.directory = FSDirectory.open(folder);
    this.writer =
        new IndexWriter(
            directory,
            new IndexWriterConfig(stemming.byField())
                .setRAMBufferSizeMB(16)
                .setSimilarity(SIMILARITY)
                .setMergePolicy(fewSegments())
                .setMergeScheduler(merging()));
    this.searchers = new SearcherManager(writer, new Searching());
  }

  /** A vector is looked for in each segment, so few of them find fast; merging costs more then. */
  private static MergePolicy fewSegments() {
    TieredMergePolicy policy = new TieredMergePolicy();
    policy.setSegmentsPerTier(SEGMENTS_PER_TIER);
    policy.setFloorSegmentMB(SEGMENT_MEGABYTES_MIN);
    return policy;
  }

  /** In the background, so that neither writers nor searches wait for a merge. */
  private static MergeScheduler merging() {
    ConcurrentMergeScheduler merging = new ConcurrentMergeScheduler();
    merging.setMaxMergesAndThreads(MERGES_MAX, 1);
    return merging;
  }

  /** Keeps which documents are admitted: the same agent asks again, mostly. */
  private static final class Searching extends SearcherFactory {

    private final QueryCache kept = new LRUQueryCache(KEPT_QUERIES_MAX, KEPT_BYTES_MAX);

    @Override
    public IndexSearcher newSearcher(IndexReader reader, @Nullable IndexReader former) {
      IndexSearcher searcher = new IndexSearcher(reader);
      searcher.setSimilarity(SIMILARITY);
      searcher.setQueryCache(kept);
      searcher.setQueryCachingPolicy(KEPT);
      return searcher;
    }
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
    Map<Place, Optional<Item>> missed =
        truth.follow(
            new RocksItems.Follower() {
              @Override
              public void writing(long change) {
                indexing.add(change);
                lastBegun.accumulateAndGet(change, Math::max);
              }

              @Override
              public void written(long change, Map<Place, Optional<Item>> items) {
                index(items);
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
  private void index(Map<Place, Optional<Item>> items) {
    if (items.isEmpty()) {
      return;
    }
    try {
      apart.run(() -> indexed(items));
      uncommitted.set(true);
    } catch (IOException unwritten) {
      throw new UncheckedIOException(unwritten);
    }
  }

  private int indexed(Map<Place, Optional<Item>> items) throws IOException {
    for (Map.Entry<Place, Optional<Item>> each : items.entrySet()) {
      Term id = new Term(ID, id(each.getKey()));
      Item item = each.getValue().orElse(null);
      if (item == null || item.hidden() != null) {
        writer.deleteDocuments(id);
      } else {
        writer.updateDocument(id, document(item));
      }
    }
    return items.size();
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
    String text = ItemTexts.of(item.content().value());
    if (!text.isEmpty()) {
      Language language = Language.of(text);
      document.add(new Field(language.bodyField, text, WORDS));
      if (language == Language.ENGLISH) {
        document.add(new Field(Stemming.GRAMS_FIELD, text, WORDS));
      }
    }
    Vector own = item.content().vector();
    if (own != null) {
      document.add(vector(VECTOR + own.dimensions(), own));
    }
    Embedding embedding = item.embedding();
    if (embedding != null) {
      document.add(vector(EMBEDDING + embedding.model(), embedding.vector()));
    }
    IndexedFilter.addTo(document, item);
    return document;
  }

  /** By the cosine: of vectors of unit length that is their product, which is faster. */
  private static Field vector(String field, Vector vector) {
    return new KnnFloatVectorField(
        field, VectorUtil.l2normalize(vector.numbers()), VectorSimilarityFunction.DOT_PRODUCT);
  }

  // --- finding --------------------------------------------------------------------------------

  @Override
  public List<Hit> find(AgentId agent, Filter filter, Probe probe, Instant now) {
    try {
      if (!searchers.isSearcherCurrent()) {
        apart.run(this::refreshed);
      }
      IndexSearcher searcher = searchers.acquire();
      try {
        return found(searcher, agent, filter, probe, now);
      } finally {
        searchers.release(searcher);
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  private boolean refreshed() throws IOException {
    searchers.maybeRefreshBlocking();
    return true;
  }

  private List<Hit> found(
      IndexSearcher searcher, AgentId agent, Filter filter, Probe probe, Instant now)
      throws IOException {
    Query admitted = admitted(agent, filter, now);
    int asked = Fusion.asked(probe.k());
    List<List<Fusion.Found<Integer>>> dense = new ArrayList<>();
    if (probe.vector() != null) {
      String field = VECTOR + probe.vector().dimensions();
      dense.add(dense(searcher, field, probe.vector(), admitted, asked));
    }
    if (probe.embedding() != null) {
      String field = EMBEDDING + probe.embedding().model();
      dense.add(dense(searcher, field, probe.embedding().vector(), admitted, asked));
    }
    return Fusion.best(
        probe.text() == null ? List.of() : lexical(searcher, probe.text(), admitted, asked),
        dense,
        document ->
            item(searcher, agent, document).filter(filter::admits).filter(i -> i.isThere(now)),
        probe,
        now);
  }

  private Optional<Item> item(IndexSearcher searcher, AgentId agent, int document) {
    try {
      Document found = searcher.storedFields().document(document);
      return truth.getWithoutVectors(new Place(agent, found.get("task"), found.get("key")));
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
  }

  /** One query for all that one agent asks within a while, so that its answer can be kept. */
  private static Query admitted(AgentId agent, Filter filter, Instant now) {
    long recently = now.toEpochMilli() / EXPIRY_GRAIN_MILLIS * EXPIRY_GRAIN_MILLIS;
    return new BooleanQuery.Builder()
        .add(new TermQuery(new Term(OWNER, owner(agent))), BooleanClause.Occur.FILTER)
        .add(LongPoint.newRangeQuery(EXPIRES, recently, Long.MAX_VALUE), BooleanClause.Occur.FILTER)
        .add(IndexedFilter.superset(filter), BooleanClause.Occur.FILTER)
        .build();
  }

  private List<Fusion.Found<Integer>> lexical(
      IndexSearcher searcher, String text, Query admitted, int asked) throws IOException {
    List<Query> languages = new ArrayList<>();
    for (Language language : Language.values()) {
      BooleanQuery.Builder words =
          anyOf(language.bodyField, stemming.stems(language, text, STEMS_MAX));
      if (language == Language.ENGLISH) {
        Query grams = anyOf(Stemming.GRAMS_FIELD, stemming.grams(text, GRAMS_MAX)).build();
        words.add(new BoostQuery(grams, GRAMS_WEIGHT), BooleanClause.Occur.SHOULD);
      }
      languages.add(words.build());
    }
    Query query =
        new BooleanQuery.Builder()
            .add(new DisjunctionMaxQuery(languages, 0), BooleanClause.Occur.MUST)
            .add(admitted, BooleanClause.Occur.FILTER)
            .build();
    return found(searcher.search(query, asked).scoreDocs);
  }

  private static BooleanQuery.Builder anyOf(String field, Collection<String> terms) {
    BooleanQuery.Builder any = new BooleanQuery.Builder();
    terms.forEach(
        term -> any.add(new TermQuery(new Term(field, term)), BooleanClause.Occur.SHOULD));
    return any;
  }

  /** Of few admitted all are compared: in the graph most of the way would lead over others. */
  private static List<Fusion.Found<Integer>> dense(
      IndexSearcher searcher, String field, Vector vector, Query admitted, int asked)
      throws IOException {
    float[] probe = VectorUtil.l2normalize(vector.numbers());
    if (searcher.count(admitted) > COMPARED_MAX) {
      Query query = new KnnFloatVectorQuery(field, probe, asked, admitted);
      return found(searcher.search(query, asked).scoreDocs);
    }
    Weight weight =
        searcher.createWeight(searcher.rewrite(admitted), ScoreMode.COMPLETE_NO_SCORES, 1);
    PriorityQueue<Fusion.Found<Integer>> best =
        new PriorityQueue<>(asked + 1, Comparator.comparingDouble(Fusion.Found::score));
    for (LeafReaderContext segment : searcher.getIndexReader().leaves()) {
      compare(segment, weight, field, probe, asked, best);
    }
    List<Fusion.Found<Integer>> found = new ArrayList<>(best);
    found.sort(best.comparator().reversed());
    return found;
  }

  private static void compare(
      LeafReaderContext segment,
      Weight weight,
      String field,
      float[] probe,
      int asked,
      PriorityQueue<Fusion.Found<Integer>> best)
      throws IOException {
    Scorer admitted = weight.scorer(segment);
    FloatVectorValues vectors = segment.reader().getFloatVectorValues(field);
    if (admitted == null || vectors == null) {
      return;
    }
    VectorScorer scorer = vectors.scorer(probe);
    DocIdSetIterator both =
        ConjunctionUtils.intersectIterators(List.of(admitted.iterator(), scorer.iterator()));
    Bits live = segment.reader().getLiveDocs();
    for (int doc = both.nextDoc(); doc != DocIdSetIterator.NO_MORE_DOCS; doc = both.nextDoc()) {
      if (live == null || live.get(doc)) {
        best.add(new Fusion.Found<>(segment.docBase + doc, scorer.score()));
        if (best.size() > asked) {
          best.remove();
        }
      }
    }
  }

  private static List<Fusion.Found<Integer>> found(ScoreDoc[] docs) {
    return Arrays.stream(docs).map(each -> new Fusion.Found<>(each.doc, each.score)).toList();
  }

  // --- the rest is the truth's ----------------------------------------------------------------

  @Override
  public void change(Collection<Place> places, long bytesMax, Change change) {
    truth.change(places, bytesMax, change);
  }

  @Override
  public Optional<Item> get(Place place) {
    return truth.get(place);
  }

  @Override
  public Page query(Selection selection, Instant now) {
    return truth.query(selection, now);
  }

  @Override
  public Page all(String tenant, @Nullable String after, int limit) {
    return truth.all(tenant, after, limit);
  }

  @Override
  public List<Place> expired(Instant now, int max) {
    return truth.expired(now, max);
  }

  @Override
  public Map<String, Long> bytes() {
    return truth.bytes();
  }

  @Override
  public long bytes(String tenant) {
    return truth.bytes(tenant);
  }

  @Override
  public void close() {
    // A commit that runs is not interrupted: it would close its own files.
    committing.shutdown();
    try {
      apart.run(this::ended);
    } catch (IOException | RuntimeException failed) {
      log.error(
          "the index of memory was not closed cleanly; what is missing is indexed again", failed);
    } finally {
      apart.close();
      stemming.close();
      truth.close();
    }
  }

  private boolean ended() throws IOException, InterruptedException {
    if (!committing.awaitTermination(30, TimeUnit.SECONDS)) {
      log.warn("the index of memory is still being committed");
    }
    commit();
    searchers.close();
    writer.close();
    directory.close();
    return true;
  }
}
