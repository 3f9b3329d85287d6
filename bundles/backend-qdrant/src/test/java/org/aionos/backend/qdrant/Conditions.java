package org.aionos.backend.qdrant;

import io.qdrant.client.grpc.Common.Condition;
import io.qdrant.client.grpc.Common.FieldCondition;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Common.Match;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.Common.Range;
import io.qdrant.client.grpc.JsonWithInt.Value;
import java.util.List;
import java.util.Map;

/** Filters as Qdrant's documentation says they mean. */
final class Conditions {

  private Conditions() {}

  static boolean admit(Filter filter, PointId id, Map<String, Value> payload) {
    return filter.getMustList().stream().allMatch(each -> admits(each, id, payload))
        && filter.getMustNotList().stream().noneMatch(each -> admits(each, id, payload))
        && (filter.getShouldCount() == 0
            || filter.getShouldList().stream().anyMatch(each -> admits(each, id, payload)));
  }

  private static boolean admits(Condition condition, PointId id, Map<String, Value> payload) {
    return switch (condition.getConditionOneOfCase()) {
      case FIELD -> field(condition.getField(), payload);
      case IS_EMPTY -> values(payload, condition.getIsEmpty().getKey()).isEmpty();
      case HAS_ID -> condition.getHasId().getHasIdList().contains(id);
      case FILTER -> admit(condition.getFilter(), id, payload);
      case NESTED ->
          values(payload, condition.getNested().getKey()).stream()
              .anyMatch(
                  value ->
                      admit(
                          condition.getNested().getFilter(),
                          id,
                          value.getStructValue().getFieldsMap()));
      default -> throw new UnsupportedOperationException(condition.toString());
    };
  }

  private static boolean field(FieldCondition field, Map<String, Value> payload) {
    List<Value> values = values(payload, field.getKey());
    if (field.hasMatch()) {
      return values.stream().anyMatch(value -> matches(field.getMatch(), value));
    }
    if (field.hasRange()) {
      return values.stream().anyMatch(value -> isWithin(field.getRange(), value));
    }
    throw new UnsupportedOperationException(field.toString());
  }

  /** An empty list, and null, is as nothing; of a list each is a value. */
  private static List<Value> values(Map<String, Value> payload, String key) {
    Value value = payload.getOrDefault(key, Value.getDefaultInstance());
    return switch (value.getKindCase()) {
      case KIND_NOT_SET, NULL_VALUE -> List.of();
      case LIST_VALUE -> value.getListValue().getValuesList();
      default -> List.of(value);
    };
  }

  private static boolean matches(Match match, Value value) {
    return switch (match.getMatchValueCase()) {
      case KEYWORD -> value.hasStringValue() && value.getStringValue().equals(match.getKeyword());
      case KEYWORDS ->
          value.hasStringValue()
              && match.getKeywords().getStringsList().contains(value.getStringValue());
      case BOOLEAN -> value.hasBoolValue() && value.getBoolValue() == match.getBoolean();
      case INTEGER -> value.hasIntegerValue() && value.getIntegerValue() == match.getInteger();
      default -> throw new UnsupportedOperationException(match.toString());
    };
  }

  private static boolean isWithin(Range range, Value value) {
    if (!value.hasIntegerValue() && !value.hasDoubleValue()) {
      return false;
    }
    double number = value.hasIntegerValue() ? value.getIntegerValue() : value.getDoubleValue();
    return (!range.hasLt() || number < range.getLt())
        && (!range.hasGt() || number > range.getGt())
        && (!range.hasLte() || number <= range.getLte())
        && (!range.hasGte() || number >= range.getGte());
  }
}
