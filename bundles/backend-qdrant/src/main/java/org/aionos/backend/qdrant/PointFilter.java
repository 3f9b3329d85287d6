package org.aionos.backend.qdrant;

import static io.qdrant.client.ConditionFactory.filter;
import static io.qdrant.client.ConditionFactory.isEmpty;
import static io.qdrant.client.ConditionFactory.matchKeyword;
import static io.qdrant.client.ConditionFactory.matchKeywords;
import static io.qdrant.client.ConditionFactory.nested;
import static io.qdrant.client.ConditionFactory.range;

import io.qdrant.client.grpc.Common.Condition;
import io.qdrant.client.grpc.Common.Range;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import org.aionos.items.MetaTerms;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.Filter;
import org.aionos.kernel.memory.Trust;
import org.jspecify.annotations.Nullable;

/**
 * Filters as Qdrant can answer them. Where it can do so only about (numbers are doubles there,
 * texts are not ordered, times are milliseconds) it is asked for more than is meant, or below a
 * {@code not} for less, and {@link Filter#admits} has the last word on each point.
 */
final class PointFilter {

  /** No tenant has this name. */
  private static final Condition NONE = matchKeyword(ItemPoints.TENANT, "");

  private static final Condition ALL = filter(proto().addMustNot(NONE).build());

  private PointFilter() {}

  private static io.qdrant.client.grpc.Common.Filter.Builder proto() {
    return io.qdrant.client.grpc.Common.Filter.newBuilder();
  }

  static io.qdrant.client.grpc.Common.Filter of(String tenant) {
    return proto().addMust(matchKeyword(ItemPoints.TENANT, tenant)).build();
  }

  /** Admits all items of the agent that are there and that the filter admits, and perhaps more. */
  static io.qdrant.client.grpc.Common.Filter superset(AgentId agent, Filter filter, Instant now) {
    return proto()
        .addMust(matchKeyword(ItemPoints.TENANT, agent.tenant()))
        .addMust(matchKeyword(ItemPoints.AGENT, agent.name()))
        .addMust(isEmpty(ItemPoints.HIDDEN))
        .addMust(range(ItemPoints.EXPIRES, Range.newBuilder().setGt(now.toEpochMilli()).build()))
        .addMust(condition(filter, true))
        .build();
  }

  static io.qdrant.client.grpc.Common.Filter expired(Instant now) {
    return proto()
        .addMust(range(ItemPoints.EXPIRES, Range.newBuilder().setLte(now.toEpochMilli()).build()))
        .build();
  }

  /** Of these revisions; of none if there are none. */
  static io.qdrant.client.grpc.Common.Filter written(List<String> revisions) {
    return proto()
        .addMust(revisions.isEmpty() ? NONE : matchKeywords(ItemPoints.REVISION, revisions))
        .build();
  }

  private static Condition condition(Filter filter, boolean more) {
    if (filter instanceof Filter.All all) {
      return filter(
          proto()
              .addAllMust(all.of().stream().map(each -> condition(each, more)).toList())
              .build());
    }
    if (filter instanceof Filter.Any any) {
      return any(any.of().stream().map(each -> condition(each, more)).toList());
    }
    if (filter instanceof Filter.Not not) {
      return filter(proto().addMustNot(condition(not.of(), !more)).build());
    }
    if (filter instanceof Filter.Task task) {
      return matchKeyword(ItemPoints.TASK, task.name());
    }
    if (filter instanceof Filter.Tagged tagged) {
      return filter(
          proto()
              .addAllMust(
                  tagged.all().stream().map(tag -> matchKeyword(ItemPoints.TAGS, tag)).toList())
              .build());
    }
    if (filter instanceof Filter.Trusted trusted) {
      return matchKeywords(
          ItemPoints.TRUST,
          Arrays.stream(Trust.values())
              .filter(trust -> trust.compareTo(trusted.atLeast()) >= 0)
              .map(Trust::word)
              .toList());
    }
    if (filter instanceof Filter.When when) {
      return when(when, more);
    }
    return meta((Filter.Meta) filter, more);
  }

  private static Condition any(List<Condition> of) {
    return of.isEmpty() ? NONE : filter(proto().addAllShould(of).build());
  }

  private static Condition when(Filter.When when, boolean more) {
    long slack = more ? 1 : -1;
    Range.Builder range = Range.newBuilder();
    if (when.from() != null) {
      range.setGte(when.from().toEpochMilli() - slack);
    }
    if (when.until() != null) {
      range.setLte(when.until().toEpochMilli() + slack);
    }
    return when.from() == null && when.until() == null
        ? ALL
        : range(when.created() ? ItemPoints.CREATED : ItemPoints.UPDATED, range.build());
  }

  private static Condition meta(Filter.Meta meta, boolean more) {
    return switch (meta.operator()) {
      case "eq" -> equal(meta.field(), meta.operand(), more);
      case "in" ->
          meta.operand() instanceof List<?> operands
              ? any(operands.stream().map(each -> equal(meta.field(), each, more)).toList())
              : NONE;
      default -> ordered(meta, more);
    };
  }

  private static Condition equal(String field, @Nullable Object operand, boolean more) {
    String term = MetaTerms.term(field, operand);
    return term == null ? unknown(more) : matchKeyword(ItemPoints.META, term);
  }

  private static Condition ordered(Filter.Meta meta, boolean more) {
    if (!(meta.operand() instanceof Number number) || !Double.isFinite(number.doubleValue())) {
      return unknown(more);
    }
    double bound = number.doubleValue();
    Range.Builder range = Range.newBuilder();
    if (meta.operator().startsWith("g")) {
      range.setGte(more ? Math.nextDown(bound) : Math.nextUp(bound));
    } else {
      range.setLte(more ? Math.nextUp(bound) : Math.nextDown(bound));
    }
    return nested(
        ItemPoints.NUMBERS,
        proto()
            .addMust(matchKeyword(ItemPoints.NUMBER_NAME, meta.field()))
            .addMust(range(ItemPoints.NUMBER_VALUE, range.build()))
            .build());
  }

  private static Condition unknown(boolean more) {
    return more ? ALL : NONE;
  }
}
