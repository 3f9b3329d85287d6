package org.aionos.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.aionos.words.Language;
import org.aionos.words.Stemming;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.DisjunctionMaxQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.store.ByteBuffersDirectory;

/**
 * Full-text search over pages, in memory: BM25, with a match in the title worth three in the body.
 * A query finds pages that hold any of its words, of a long query a third. It never changes once it
 * is built; any thread may search.
 */
final class PageIndex implements AutoCloseable {

  private static final String NUMBER = "page";
  private static final float TITLE_BOOST = 3;

  /** A word in both title and body counts a little more than in one of them. */
  private static final float OTHER_FIELD = 0.3f;

  /** 400 characters rarely hold more; each word costs a query on four fields. */
  private static final int STEMS_MAX = 64;

  private final List<Page> pages;
  private final Stemming stemming;
  private final DirectoryReader reader;
  private final IndexSearcher searcher;

  private PageIndex(List<Page> pages, Stemming stemming, DirectoryReader reader) {
    this.pages = pages;
    this.stemming = stemming;
    this.reader = reader;
    this.searcher = new IndexSearcher(reader);
    // The default cache is shared by the whole class loader, and an index this small gains nothing.
    searcher.setQueryCache(null);
  }

  static PageIndex of(List<Page> pages) throws IOException {
    Stemming stemming = new Stemming();
    ByteBuffersDirectory directory = new ByteBuffersDirectory();
    IndexWriterConfig config =
        new IndexWriterConfig(stemming.byField()).setMergeScheduler(new SerialMergeScheduler());
    try (IndexWriter writer = new IndexWriter(directory, config)) {
      for (int number = 0; number < pages.size(); number++) {
        writer.addDocument(document(number, pages.get(number)));
      }
    }
    return new PageIndex(List.copyOf(pages), stemming, DirectoryReader.open(directory));
  }

  List<Found> search(Search query) throws IOException {
    List<Query> byLanguage = new ArrayList<>();
    for (Language language : Language.taggedWith(query.language())) {
      byLanguage.add(inLanguage(language, query.text()));
    }
    Query words = new DisjunctionMaxQuery(byLanguage, 0);
    List<Found> items = new ArrayList<>();
    for (ScoreDoc hit : searcher.search(words, query.limit()).scoreDocs) {
      Document stored = searcher.storedFields().document(hit.doc, Set.of(NUMBER));
      items.add(found(pages.get(stored.getField(NUMBER).numericValue().intValue()), query.text()));
    }
    return items;
  }

  @Override
  public void close() throws IOException {
    reader.close();
    stemming.close();
  }

  private Query inLanguage(Language language, String text) {
    Set<String> stems = stemming.stems(language, text, STEMS_MAX);
    BooleanQuery.Builder words = new BooleanQuery.Builder();
    words.setMinimumNumberShouldMatch((stems.size() + 2) / 3);
    for (String stem : stems) {
      Query inTitle =
          new BoostQuery(new TermQuery(new Term(language.titleField, stem)), TITLE_BOOST);
      Query inBody = new TermQuery(new Term(language.bodyField, stem));
      words.add(
          new DisjunctionMaxQuery(List.of(inTitle, inBody), OTHER_FIELD),
          BooleanClause.Occur.SHOULD);
    }
    return words.build();
  }

  private Found found(Page page, String text) {
    Set<String> asked = stemming.stems(page.language(), text, STEMS_MAX);
    String snippet = new Snippets(stemming, page.language()).of(page.body(), asked);
    return new Found(page.title(), page.url(), snippet);
  }

  private static Document document(int number, Page page) {
    Document document = new Document();
    document.add(new StoredField(NUMBER, number));
    document.add(new TextField(Language.of(page.title()).titleField, page.title(), Field.Store.NO));
    document.add(new TextField(page.language().bodyField, page.body(), Field.Store.NO));
    return document;
  }
}
