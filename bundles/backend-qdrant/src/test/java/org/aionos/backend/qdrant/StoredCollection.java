package org.aionos.backend.qdrant;

import io.grpc.Status;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Common.Filter;
import io.qdrant.client.grpc.Common.PointId;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.FieldType;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.ScoredPoint;
import io.qdrant.client.grpc.Points.SparseVector;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.Vector;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A collection as Qdrant keeps it, in memory; refuses what Qdrant refuses. */
final class StoredCollection {

  /** By id, which is the order of scrolling. */
  final TreeMap<String, PointStruct> points = new TreeMap<>();

  final Map<String, Long> dense = new HashMap<>();
  final Map<String, FieldType> indexes = new HashMap<>();
  private final Map<String, Boolean> sparse = new HashMap<>();

  StoredCollection(CreateCollection request) {
    request
        .getVectorsConfig()
        .getParamsMap()
        .getMapMap()
        .forEach((name, params) -> dense.put(name, params.getSize()));
    request
        .getSparseVectorsConfig()
        .getMapMap()
        .forEach((name, params) -> sparse.put(name, params.hasModifier()));
  }

  static RuntimeException wrong(String why) {
    return Status.INVALID_ARGUMENT.withDescription("Wrong input: " + why).asRuntimeException();
  }

  Stream<PointStruct> where(Filter filter) {
    return points.values().stream()
        .filter(point -> Conditions.admit(filter, point.getId(), point.getPayloadMap()));
  }

  // --- writing ----------------------------------------------------------------------------------

  void upsert(UpsertPoints request) {
    request.getPointsList().forEach(this::check);
    for (PointStruct point : request.getPointsList()) {
      PointStruct before = points.get(key(point.getId()));
      if (before == null
          || !request.hasUpdateFilter()
          || Conditions.admit(request.getUpdateFilter(), before.getId(), before.getPayloadMap())) {
        points.put(key(point.getId()), point);
      }
    }
  }

  static String key(PointId id) {
    return id.getUuid();
  }

  private void check(PointStruct point) {
    if (!point.hasVectors()) {
      throw wrong("Expected some vectors");
    }
    point
        .getVectors()
        .getVectors()
        .getVectorsMap()
        .forEach(
            (name, vector) -> {
              if (vector.hasSparse()) {
                check(name, vector.getSparse());
              } else {
                // The client writes the field of older servers, which newer ones read too.
                check(name, floats(vector).size());
              }
            });
  }

  private void check(String name, SparseVector vector) {
    if (!sparse.containsKey(name)) {
      throw wrong("Not existing vector name error: " + name);
    }
    if (vector.getIndicesCount() != vector.getValuesCount()
        || new HashSet<>(vector.getIndicesList()).size() != vector.getIndicesCount()) {
      throw wrong("indices must be unique, and as many as values");
    }
  }

  private void check(String name, long size) {
    Long wanted = dense.get(name);
    if (wanted == null) {
      throw wrong("Not existing vector name error: " + name);
    }
    if (wanted != size) {
      throw wrong("Vector dimension error: expected dim: " + wanted + ", got " + size);
    }
  }

  @SuppressWarnings("deprecation")
  private static List<Float> floats(Vector vector) {
    return vector.hasDense() ? vector.getDense().getDataList() : vector.getDataList();
  }

  // --- reading ----------------------------------------------------------------------------------

  List<PointStruct> inOrder(Filter filter, String key) {
    FieldType type = indexes.get(key);
    if (type != FieldType.FieldTypeInteger && type != FieldType.FieldTypeFloat) {
      throw wrong("No range index for `order_by` key: `" + key + "`");
    }
    return where(filter)
        .filter(point -> point.containsPayload(key))
        .sorted(Comparator.comparingLong(point -> point.getPayloadOrThrow(key).getIntegerValue()))
        .toList();
  }

  Map<String, Long> facet(String key) {
    if (indexes.get(key) != FieldType.FieldTypeKeyword) {
      throw wrong("No appropriate index for faceting: `" + key + "`");
    }
    Map<String, Long> counts = new TreeMap<>();
    points
        .values()
        .forEach(
            point ->
                counts.merge(
                    point.getPayloadOrDefault(key, Value.getDefaultInstance()).getStringValue(),
                    1L,
                    Long::sum));
    return counts;
  }

  List<ScoredPoint> query(QueryPoints query) {
    var nearest = query.getQuery().getNearest();
    List<ScoredPoint> scored = new ArrayList<>();
    if (nearest.hasSparse()) {
      check(query.getUsing(), nearest.getSparse());
      Map<Integer, Double> weights = weights(query.getUsing(), nearest.getSparse());
      where(query.getFilter())
          .forEach(
              point -> {
                Vector vector = vector(point, query.getUsing());
                double score = dot(weights, vector.getSparse());
                if (score > 0) {
                  scored.add(scored(point, score));
                }
              });
    } else {
      List<Float> wanted = nearest.getDense().getDataList();
      check(query.getUsing(), wanted.size());
      where(query.getFilter())
          .filter(point -> !floats(vector(point, query.getUsing())).isEmpty())
          .forEach(
              point ->
                  scored.add(
                      scored(point, cosine(wanted, floats(vector(point, query.getUsing()))))));
    }
    return scored.stream()
        .sorted(Comparator.comparingDouble(ScoredPoint::getScore).reversed())
        .limit(query.hasLimit() ? query.getLimit() : 10)
        .toList();
  }

  private static ScoredPoint scored(PointStruct point, double score) {
    return ScoredPoint.newBuilder().setId(point.getId()).setScore((float) score).build();
  }

  private static Vector vector(PointStruct point, String name) {
    return point.getVectors().getVectors().getVectorsOrDefault(name, Vector.getDefaultInstance());
  }

  /** Of each index what was asked, times how rare it is: the modifier IDF. */
  private Map<Integer, Double> weights(String name, SparseVector asked) {
    List<SparseVector> all =
        points.values().stream()
            .map(point -> vector(point, name))
            .filter(Vector::hasSparse)
            .map(Vector::getSparse)
            .toList();
    Map<Integer, Double> weights = new HashMap<>();
    for (int i = 0; i < asked.getIndicesCount(); i++) {
      int index = asked.getIndices(i);
      double with = all.stream().filter(each -> each.getIndicesList().contains(index)).count();
      double rare = Math.log((all.size() - with + 0.5) / (with + 0.5) + 1);
      weights.put(index, asked.getValues(i) * (sparse.get(name) ? rare : 1));
    }
    return weights;
  }

  private static double dot(Map<Integer, Double> weights, SparseVector vector) {
    double dot = 0;
    for (int i = 0; i < vector.getIndicesCount(); i++) {
      dot += weights.getOrDefault(vector.getIndices(i), 0.0) * vector.getValues(i);
    }
    return dot;
  }

  private static double cosine(List<Float> a, List<Float> b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.size(); i++) {
      dot += a.get(i) * b.get(i);
      aa += a.get(i) * a.get(i);
      bb += b.get(i) * b.get(i);
    }
    return aa == 0 || bb == 0 ? 0 : dot / Math.sqrt(aa * bb);
  }
}
