package org.aionos.backend.qdrant;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Status;
import io.qdrant.client.QdrantGrpcClient;
import io.qdrant.client.grpc.Collections.CollectionExistsRequest;
import io.qdrant.client.grpc.Collections.CollectionParams;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.Distance;
import io.qdrant.client.grpc.Collections.GetCollectionInfoRequest;
import io.qdrant.client.grpc.Collections.KeywordIndexParams;
import io.qdrant.client.grpc.Collections.Modifier;
import io.qdrant.client.grpc.Collections.PayloadIndexParams;
import io.qdrant.client.grpc.Collections.SparseVectorConfig;
import io.qdrant.client.grpc.Collections.SparseVectorParams;
import io.qdrant.client.grpc.Collections.VectorParamsMap;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.Points.CreateFieldIndexCollection;
import io.qdrant.client.grpc.Points.CreateVectorNameRequest;
import io.qdrant.client.grpc.Points.DenseVectorCreationConfig;
import io.qdrant.client.grpc.Points.FieldType;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.memory.StoreUnavailable;

/**
 * The collection that holds all items, made when it is first used, as are the indexes of its fields
 * and, when an item first brings one, its spaces of vectors.
 */
final class ItemCollection implements AutoCloseable {

  /** Each costs a graph in every segment, and it is agents who choose the dimensions. */
  private static final int SPACES_MAX = 32;

  private static final Map<String, FieldType> INDEXES =
      Map.ofEntries(
          Map.entry(ItemPoints.TENANT, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.AGENT, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.TASK, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.TAGS, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.TRUST, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.REVISION, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.META, FieldType.FieldTypeKeyword),
          Map.entry(ItemPoints.HIDDEN, FieldType.FieldTypeBool),
          Map.entry(ItemPoints.CREATED, FieldType.FieldTypeInteger),
          Map.entry(ItemPoints.UPDATED, FieldType.FieldTypeInteger),
          Map.entry(ItemPoints.EXPIRES, FieldType.FieldTypeInteger),
          Map.entry(
              ItemPoints.NUMBERS + "[]." + ItemPoints.NUMBER_NAME, FieldType.FieldTypeKeyword),
          Map.entry(
              ItemPoints.NUMBERS + "[]." + ItemPoints.NUMBER_VALUE, FieldType.FieldTypeFloat));

  private final QdrantLink link;
  private final String name;
  private final Set<String> spaces = ConcurrentHashMap.newKeySet();
  private volatile boolean made;

  ItemCollection(QdrantLink link, String name) {
    this.link = link;
    this.name = name;
  }

  String name() {
    return name;
  }

  /** What the server answers, once the collection is there. */
  <T> T ask(Function<QdrantGrpcClient, ListenableFuture<T>> question) {
    make();
    try {
      return link.ask(question);
    } catch (StoreUnavailable unavailable) {
      if (unavailable.getCause() != null
          && Status.fromThrowable(unavailable.getCause()).getCode() == Status.Code.NOT_FOUND) {
        // Somebody took it away; the next to come makes it anew.
        made = false;
        spaces.clear();
      }
      throw unavailable;
    }
  }

  private void make() {
    if (made) {
      return;
    }
    synchronized (this) {
      if (!made) {
        if (!exists()) {
          create();
        }
        INDEXES.forEach(this::index);
        readSpaces();
        made = true;
      }
    }
  }

  private boolean exists() {
    CollectionExistsRequest request =
        CollectionExistsRequest.newBuilder().setCollectionName(name).build();
    return link.ask(client -> client.collections().collectionExists(request))
        .getResult()
        .getExists();
  }

  private void create() {
    CreateCollection request =
        CreateCollection.newBuilder()
            .setCollectionName(name)
            // All points of a change then go through one log, whole or not at all.
            .setShardNumber(1)
            .setOnDiskPayload(true)
            .setVectorsConfig(
                VectorsConfig.newBuilder().setParamsMap(VectorParamsMap.getDefaultInstance()))
            .setSparseVectorsConfig(
                SparseVectorConfig.newBuilder()
                    .putMap(
                        ItemPoints.WORDS,
                        SparseVectorParams.newBuilder().setModifier(Modifier.Idf).build()))
            .build();
    try {
      link.ask(client -> client.collections().create(request));
    } catch (StoreUnavailable failed) {
      // Another kernel may have been faster.
      if (!exists()) {
        throw failed;
      }
    }
  }

  private void index(String field, FieldType type) {
    CreateFieldIndexCollection.Builder request =
        CreateFieldIndexCollection.newBuilder()
            .setCollectionName(name)
            .setWait(true)
            .setFieldName(field)
            .setFieldType(type);
    if (field.equals(ItemPoints.TENANT)) {
      request.setFieldIndexParams(
          PayloadIndexParams.newBuilder()
              .setKeywordIndexParams(KeywordIndexParams.newBuilder().setIsTenant(true)));
    }
    link.ask(client -> client.points().createFieldIndex(request.build()));
  }

  // --- spaces of vectors ------------------------------------------------------------------------

  /** Whether there are vectors of this space. */
  boolean has(String space) {
    make();
    if (!spaces.contains(space)) {
      // Another kernel may have made it.
      readSpaces();
    }
    return spaces.contains(space);
  }

  private void readSpaces() {
    GetCollectionInfoRequest request =
        GetCollectionInfoRequest.newBuilder().setCollectionName(name).build();
    CollectionParams params =
        link.ask(client -> client.collections().get(request)).getResult().getConfig().getParams();
    spaces.addAll(params.getVectorsConfig().getParamsMap().getMapMap().keySet());
  }

  /**
   * Sees to it that there is this space.
   *
   * @throws Refused {@code INVALID_FIELD} if there are too many
   */
  synchronized void need(String space, int dimensions) {
    if (has(space)) {
      return;
    }
    if (spaces.size() >= SPACES_MAX) {
      throw new Refused(
          Problem.of(
              Code.INVALID_FIELD,
              "long memory holds vectors of "
                  + SPACES_MAX
                  + " models or lengths already, and takes no others"));
    }
    CreateVectorNameRequest request =
        CreateVectorNameRequest.newBuilder()
            .setCollectionName(name)
            .setWait(true)
            .setVectorName(space)
            .setDenseConfig(
                DenseVectorCreationConfig.newBuilder()
                    .setSize(dimensions)
                    .setDistance(Distance.Cosine))
            .build();
    try {
      link.ask(client -> client.points().createVectorName(request));
      spaces.add(space);
    } catch (StoreUnavailable failed) {
      if (!has(space)) {
        throw failed;
      }
    }
  }

  @Override
  public void close() {
    link.close();
  }
}
