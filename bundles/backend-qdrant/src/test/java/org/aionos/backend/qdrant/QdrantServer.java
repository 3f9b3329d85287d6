package org.aionos.backend.qdrant;

import io.grpc.Context;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.stub.StreamObserver;
import io.qdrant.client.grpc.Collections.CollectionConfig;
import io.qdrant.client.grpc.Collections.CollectionExists;
import io.qdrant.client.grpc.Collections.CollectionExistsRequest;
import io.qdrant.client.grpc.Collections.CollectionExistsResponse;
import io.qdrant.client.grpc.Collections.CollectionInfo;
import io.qdrant.client.grpc.Collections.CollectionOperationResponse;
import io.qdrant.client.grpc.Collections.CollectionParams;
import io.qdrant.client.grpc.Collections.CreateCollection;
import io.qdrant.client.grpc.Collections.GetCollectionInfoRequest;
import io.qdrant.client.grpc.Collections.GetCollectionInfoResponse;
import io.qdrant.client.grpc.Collections.VectorParams;
import io.qdrant.client.grpc.Collections.VectorParamsMap;
import io.qdrant.client.grpc.Collections.VectorsConfig;
import io.qdrant.client.grpc.CollectionsGrpc;
import io.qdrant.client.grpc.JsonWithInt.Value;
import io.qdrant.client.grpc.Points.BatchResult;
import io.qdrant.client.grpc.Points.CreateFieldIndexCollection;
import io.qdrant.client.grpc.Points.CreateVectorNameRequest;
import io.qdrant.client.grpc.Points.DeletePoints;
import io.qdrant.client.grpc.Points.FacetCounts;
import io.qdrant.client.grpc.Points.FacetHit;
import io.qdrant.client.grpc.Points.FacetResponse;
import io.qdrant.client.grpc.Points.FacetValue;
import io.qdrant.client.grpc.Points.GetPoints;
import io.qdrant.client.grpc.Points.GetResponse;
import io.qdrant.client.grpc.Points.PointStruct;
import io.qdrant.client.grpc.Points.PointsOperationResponse;
import io.qdrant.client.grpc.Points.QueryBatchPoints;
import io.qdrant.client.grpc.Points.QueryBatchResponse;
import io.qdrant.client.grpc.Points.QueryPoints;
import io.qdrant.client.grpc.Points.RetrievedPoint;
import io.qdrant.client.grpc.Points.ScrollPoints;
import io.qdrant.client.grpc.Points.ScrollResponse;
import io.qdrant.client.grpc.Points.UpsertPoints;
import io.qdrant.client.grpc.Points.WithPayloadSelector;
import io.qdrant.client.grpc.PointsGrpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Speaks Qdrant's own protocol and keeps, filters, pages and searches what it is given, since no
 * package has the real server; exact where that one approximates. Fails as it is told.
 */
final class QdrantServer implements AutoCloseable {

  private static final Metadata.Key<String> API_KEY =
      Metadata.Key.of("api-key", Metadata.ASCII_STRING_MARSHALLER);

  final Map<String, StoredCollection> collections = new ConcurrentHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final @Nullable String key;
  private final @Nullable Path certificate;
  private Server server;
  private int port;
  private volatile boolean stalled;
  private volatile Runnable beforeUpsert = () -> {};
  private volatile Runnable afterUpsert = () -> {};

  private QdrantServer(@Nullable String key, @Nullable Path certificate) {
    this.key = key;
    this.certificate = certificate;
  }

  static QdrantServer start() throws IOException {
    return start(null, null);
  }

  /**
   * @param certificate {@code .pem}, with its {@code .key} beside it; null for no TLS
   */
  static QdrantServer start(@Nullable String key, @Nullable Path certificate) throws IOException {
    QdrantServer server = new QdrantServer(key, certificate);
    server.admit();
    return server;
  }

  String url() {
    return (certificate == null ? "http" : "https") + "://127.0.0.1:" + port;
  }

  // --- faults -----------------------------------------------------------------------------------

  void admit() throws IOException {
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
            .executor(threads)
            .intercept(new Gate())
            .addService(new CollectionCalls())
            .addService(new PointCalls());
    if (certificate != null) {
      String name = certificate.getFileName().toString().replace(".pem", ".key");
      builder.sslContext(
          GrpcSslContexts.configure(
                  SslContextBuilder.forServer(
                      certificate.toFile(), certificate.resolveSibling(name).toFile()),
                  SslProvider.JDK)
              .build());
    }
    server = builder.build().start();
    port = server.getPort();
  }

  /** Cuts all connections and takes no more. */
  void refuse() throws InterruptedException {
    server.shutdownNow().awaitTermination(10, TimeUnit.SECONDS);
  }

  void stall(boolean on) {
    synchronized (this) {
      stalled = on;
      notifyAll();
    }
  }

  /** What another does just before a writer is heard. */
  void beforeUpsert(Runnable other) {
    beforeUpsert = other;
  }

  /** What another does before that writer is answered. */
  void afterUpsert(Runnable other) {
    afterUpsert = other;
  }

  private final class Gate implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      if (key != null && !key.equals(headers.get(API_KEY))) {
        call.close(
            Status.UNAUTHENTICATED.withDescription("Must provide an API key"), new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return next.startCall(call, headers);
    }
  }

  private <A> void answer(StreamObserver<A> observer, Supplier<A> answer) {
    answer(observer, answer, () -> {});
  }

  private <A> void answer(StreamObserver<A> observer, Supplier<A> answer, Runnable before) {
    try {
      A ready;
      synchronized (this) {
        while (stalled) {
          wait();
        }
        if (Context.current().isCancelled()) {
          return;
        }
        ready = answer.get();
      }
      before.run();
      observer.onNext(ready);
      observer.onCompleted();
    } catch (StatusRuntimeException refused) {
      observer.onError(refused);
    } catch (InterruptedException over) {
      observer.onError(Status.UNAVAILABLE.asRuntimeException());
    }
  }

  private StoredCollection collection(String name) {
    StoredCollection collection = collections.get(name);
    if (collection == null) {
      throw Status.NOT_FOUND
          .withDescription("Not found: Collection `" + name + "` doesn't exist!")
          .asRuntimeException();
    }
    return collection;
  }

  // --- collections ------------------------------------------------------------------------------

  private final class CollectionCalls extends CollectionsGrpc.CollectionsImplBase {

    @Override
    public void collectionExists(
        CollectionExistsRequest request, StreamObserver<CollectionExistsResponse> observer) {
      answer(
          observer,
          () ->
              CollectionExistsResponse.newBuilder()
                  .setResult(
                      CollectionExists.newBuilder()
                          .setExists(collections.containsKey(request.getCollectionName())))
                  .build());
    }

    @Override
    public void create(
        CreateCollection request, StreamObserver<CollectionOperationResponse> observer) {
      answer(
          observer,
          () -> {
            if (collections.containsKey(request.getCollectionName())) {
              throw Status.ALREADY_EXISTS.asRuntimeException();
            }
            collections.put(request.getCollectionName(), new StoredCollection(request));
            return CollectionOperationResponse.newBuilder().setResult(true).build();
          });
    }

    @Override
    public void get(
        GetCollectionInfoRequest request, StreamObserver<GetCollectionInfoResponse> observer) {
      answer(
          observer,
          () -> {
            VectorParamsMap.Builder map = VectorParamsMap.newBuilder();
            collection(request.getCollectionName())
                .dense
                .forEach(
                    (name, size) ->
                        map.putMap(name, VectorParams.newBuilder().setSize(size).build()));
            return GetCollectionInfoResponse.newBuilder()
                .setResult(
                    CollectionInfo.newBuilder()
                        .setConfig(
                            CollectionConfig.newBuilder()
                                .setParams(
                                    CollectionParams.newBuilder()
                                        .setVectorsConfig(
                                            VectorsConfig.newBuilder().setParamsMap(map)))))
                .build();
          });
    }
  }

  // --- points -----------------------------------------------------------------------------------

  private final class PointCalls extends PointsGrpc.PointsImplBase {

    @Override
    public void createFieldIndex(
        CreateFieldIndexCollection request, StreamObserver<PointsOperationResponse> observer) {
      answer(
          observer,
          () -> {
            collection(request.getCollectionName())
                .indexes
                .put(request.getFieldName(), request.getFieldType());
            return PointsOperationResponse.getDefaultInstance();
          });
    }

    @Override
    public void createVectorName(
        CreateVectorNameRequest request, StreamObserver<PointsOperationResponse> observer) {
      answer(
          observer,
          () -> {
            if (collection(request.getCollectionName())
                    .dense
                    .putIfAbsent(request.getVectorName(), request.getDenseConfig().getSize())
                != null) {
              throw Status.ALREADY_EXISTS.asRuntimeException();
            }
            return PointsOperationResponse.getDefaultInstance();
          });
    }

    @Override
    public void upsert(UpsertPoints request, StreamObserver<PointsOperationResponse> observer) {
      beforeUpsert.run();
      answer(
          observer,
          () -> {
            collection(request.getCollectionName()).upsert(request);
            return PointsOperationResponse.getDefaultInstance();
          },
          afterUpsert);
    }

    @Override
    public void delete(DeletePoints request, StreamObserver<PointsOperationResponse> observer) {
      answer(
          observer,
          () -> {
            StoredCollection collection = collection(request.getCollectionName());
            collection
                .where(request.getPoints().getFilter())
                .toList()
                .forEach(point -> collection.points.remove(StoredCollection.key(point.getId())));
            return PointsOperationResponse.getDefaultInstance();
          });
    }

    @Override
    public void get(GetPoints request, StreamObserver<GetResponse> observer) {
      answer(
          observer,
          () ->
              GetResponse.newBuilder()
                  .addAllResult(
                      request.getIdsList().stream()
                          .map(
                              id ->
                                  collection(request.getCollectionName())
                                      .points
                                      .get(StoredCollection.key(id)))
                          .filter(Objects::nonNull)
                          .map(point -> retrieved(point, request.getWithPayload()))
                          .toList())
                  .build());
    }

    @Override
    public void scroll(ScrollPoints request, StreamObserver<ScrollResponse> observer) {
      answer(observer, () -> scrolled(request));
    }

    @Override
    public void facet(FacetCounts request, StreamObserver<FacetResponse> observer) {
      answer(
          observer,
          () -> {
            FacetResponse.Builder answer = FacetResponse.newBuilder();
            collection(request.getCollectionName())
                .facet(request.getKey())
                .forEach(
                    (value, count) ->
                        answer.addHits(
                            FacetHit.newBuilder()
                                .setValue(FacetValue.newBuilder().setStringValue(value))
                                .setCount(count)));
            return answer.build();
          });
    }

    @Override
    public void queryBatch(QueryBatchPoints request, StreamObserver<QueryBatchResponse> observer) {
      answer(
          observer,
          () -> {
            QueryBatchResponse.Builder answer = QueryBatchResponse.newBuilder();
            for (QueryPoints query : request.getQueryPointsList()) {
              answer.addResult(
                  BatchResult.newBuilder()
                      .addAllResult(collection(request.getCollectionName()).query(query)));
            }
            return answer.build();
          });
    }
  }

  private ScrollResponse scrolled(ScrollPoints request) {
    StoredCollection collection = collection(request.getCollectionName());
    int limit = request.hasLimit() ? request.getLimit() : 10;
    if (request.hasOrderBy()) {
      return ScrollResponse.newBuilder()
          .addAllResult(
              collection.inOrder(request.getFilter(), request.getOrderBy().getKey()).stream()
                  .limit(limit)
                  .map(point -> retrieved(point, request.getWithPayload()))
                  .toList())
          .build();
    }
    String from = StoredCollection.key(request.getOffset());
    List<PointStruct> rest =
        collection
            .where(request.getFilter())
            .filter(point -> StoredCollection.key(point.getId()).compareTo(from) >= 0)
            .limit(limit + 1L)
            .toList();
    ScrollResponse.Builder answer =
        ScrollResponse.newBuilder()
            .addAllResult(
                rest.stream()
                    .limit(limit)
                    .map(point -> retrieved(point, request.getWithPayload()))
                    .toList());
    if (rest.size() > limit) {
      answer.setNextPageOffset(rest.get(limit).getId());
    }
    return answer.build();
  }

  private static RetrievedPoint retrieved(PointStruct point, WithPayloadSelector wanted) {
    Map<String, Value> payload =
        point.getPayloadMap().entrySet().stream()
            .filter(
                field ->
                    wanted.hasInclude()
                        ? wanted.getInclude().getFieldsList().contains(field.getKey())
                        : wanted.getEnable())
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    return RetrievedPoint.newBuilder().setId(point.getId()).putAllPayload(payload).build();
  }

  @Override
  public void close() throws InterruptedException {
    stall(false);
    refuse();
    threads.shutdownNow();
  }
}
