package org.aionos.memory;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.aionos.items.MetaTerms;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.Trust;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.LongPoint;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TermRangeQuery;
import org.apache.lucene.util.NumericUtils;
import org.jspecify.annotations.Nullable;

/**
 * Filters as an index can answer them. Where it can do so only about (numbers are doubles there,
 * texts are not ordered, times are milliseconds) it is asked for more than is meant, or below a
 * {@code not} for less, and {@link Filter#admits} has the last word on each hit.
 */
final class IndexedFilter {

  private static final String TASK = "task_is";
  private static final String TAG = "tag";
  private static final String TRUST = "trust";
  private static final String CREATED = "created";
  private static final String UPDATED = "updated";

  private static final String META = "meta";

  private static final String NUMBER = "number";

  /** Above all digits of a number. */
  private static final String ABOVE = "g";

  private IndexedFilter() {}

  static void addTo(Document document, Item item) {
    document.add(new StringField(TASK, item.place().task(), Field.Store.NO));
    item.content().tags().forEach(tag -> document.add(new StringField(TAG, tag, Field.Store.NO)));
    document.add(new StringField(TRUST, item.provenance().trust().word(), Field.Store.NO));
    document.add(new LongPoint(CREATED, item.createdAt().toEpochMilli()));
    document.add(new LongPoint(UPDATED, item.updatedAt().toEpochMilli()));
    for (Map.Entry<String, @Nullable Object> field : item.content().meta().entrySet()) {
      String term = MetaTerms.term(field.getKey(), field.getValue());
      if (term != null) {
        document.add(new StringField(META, term, Field.Store.NO));
      }
      if (field.getValue() instanceof Number number) {
        document.add(
            new StringField(
                NUMBER,
                MetaTerms.named(field.getKey()) + digits(number.doubleValue()),
                Field.Store.NO));
      }
    }
  }

  /** Admits all that the filter admits, and perhaps more. */
  static Query superset(Filter filter) {
    return query(filter, true);
  }

  private static Query query(Filter filter, boolean more) {
    if (filter instanceof Filter.All all) {
      return combined(all.of(), BooleanClause.Occur.FILTER, more);
    }
    if (filter instanceof Filter.Any any) {
      return any.of().isEmpty()
          ? new MatchNoDocsQuery()
          : combined(any.of(), BooleanClause.Occur.SHOULD, more);
    }
    if (filter instanceof Filter.Not not) {
      return new BooleanQuery.Builder()
          .add(new MatchAllDocsQuery(), BooleanClause.Occur.FILTER)
          .add(query(not.of(), !more), BooleanClause.Occur.MUST_NOT)
          .build();
    }
    if (filter instanceof Filter.Task task) {
      return new TermQuery(new Term(TASK, task.name()));
    }
    if (filter instanceof Filter.Tagged tagged) {
      BooleanQuery.Builder all = new BooleanQuery.Builder();
      all.add(new MatchAllDocsQuery(), BooleanClause.Occur.FILTER);
      tagged
          .all()
          .forEach(tag -> all.add(new TermQuery(new Term(TAG, tag)), BooleanClause.Occur.FILTER));
      return all.build();
    }
    if (filter instanceof Filter.Trusted trusted) {
      BooleanQuery.Builder any = new BooleanQuery.Builder();
      for (Trust trust : Trust.values()) {
        if (trust.compareTo(trusted.atLeast()) >= 0) {
          any.add(new TermQuery(new Term(TRUST, trust.word())), BooleanClause.Occur.SHOULD);
        }
      }
      return any.build();
    }
    if (filter instanceof Filter.When when) {
      return when(when, more);
    }
    return meta((Filter.Meta) filter, more);
  }

  private static Query combined(List<Filter> of, BooleanClause.Occur occur, boolean more) {
    BooleanQuery.Builder all = new BooleanQuery.Builder();
    if (occur == BooleanClause.Occur.FILTER) {
      all.add(new MatchAllDocsQuery(), BooleanClause.Occur.FILTER);
    }
    of.forEach(each -> all.add(query(each, more), occur));
    return all.build();
  }

  private static Query when(Filter.When when, boolean more) {
    long slack = more ? 1 : -1;
    return LongPoint.newRangeQuery(
        when.created() ? CREATED : UPDATED,
        millis(when.from(), Long.MIN_VALUE, -slack),
        millis(when.until(), Long.MAX_VALUE, slack));
  }

  private static long millis(@Nullable Instant time, long absent, long slack) {
    return time == null ? absent : time.toEpochMilli() + slack;
  }

  private static Query meta(Filter.Meta meta, boolean more) {
    return switch (meta.operator()) {
      case "eq" -> equal(meta.field(), meta.operand(), more);
      case "in" -> {
        BooleanQuery.Builder any = new BooleanQuery.Builder();
        if (meta.operand() instanceof List<?> operands && !operands.isEmpty()) {
          operands.forEach(
              each -> any.add(equal(meta.field(), each, more), BooleanClause.Occur.SHOULD));
          yield any.build();
        }
        yield new MatchNoDocsQuery();
      }
      default -> ordered(meta, more);
    };
  }

  private static Query equal(String field, @Nullable Object operand, boolean more) {
    String term = MetaTerms.term(field, operand);
    return term == null ? unknown(more) : new TermQuery(new Term(META, term));
  }

  private static Query ordered(Filter.Meta meta, boolean more) {
    if (!(meta.operand() instanceof Number number)) {
      return unknown(more);
    }
    double bound = number.doubleValue();
    String name = MetaTerms.named(meta.field());
    return switch (meta.operator()) {
      case "gt", "gte" ->
          range(name + digits(more ? Math.nextDown(bound) : Math.nextUp(bound)), name + ABOVE);
      default -> range(name, name + digits(more ? Math.nextUp(bound) : Math.nextDown(bound)));
    };
  }

  private static Query range(String from, String until) {
    return TermRangeQuery.newStringRange(NUMBER, from, until, true, true);
  }

  /** In the order of the numbers. */
  private static String digits(double number) {
    return HexFormat.of().toHexDigits(NumericUtils.doubleToSortableLong(number) ^ Long.MIN_VALUE);
  }

  private static Query unknown(boolean more) {
    return more ? new MatchAllDocsQuery() : new MatchNoDocsQuery();
  }
}
