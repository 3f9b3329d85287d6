package org.aionos.backend.qdrant;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import io.grpc.netty.shaded.io.netty.util.concurrent.FastThreadLocal;
import io.qdrant.client.QdrantGrpcClient;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import javax.net.ssl.SSLException;
import org.aionos.kernel.memory.StoreDriver.Opening;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way to a server: one channel, which all threads share. gRPC makes connections itself; it is
 * told not to wait long before it tries again, and to give up one that is silent.
 */
final class QdrantLink implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(QdrantLink.class);

  private static final int PORT = 6_334;

  /** Of one answer; what is asked for at once stays below half of it. */
  private static final int ANSWER_BYTES_MAX = 64 << 20;

  /** A server that was away is tried again so soon; gRPC alone would wait for up to minutes. */
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  /** The shortest that gRPC takes. */
  private static final int SILENCE_SECONDS_MAX = 10;

  private static final int CLOSE_SECONDS_MAX = 5;

  private final ManagedChannel channel;
  private final QdrantGrpcClient client;
  private final NioEventLoopGroup group;
  private final ExecutorService names;
  private final AtomicBoolean answers = new AtomicBoolean(true);
  private final AtomicLong triedAt = new AtomicLong(System.nanoTime() - PAUSE_NANOS);

  private QdrantLink(
      ManagedChannel channel,
      QdrantGrpcClient client,
      NioEventLoopGroup group,
      ExecutorService names) {
    this.channel = channel;
    this.client = client;
    this.group = group;
    this.names = names;
  }

  static QdrantLink open(Opening opening) {
    URI url = url(opening);
    SslContext tls = isTls(url) ? tls(opening.caFile()) : null;
    // Threads of our own: those that gRPC shares would outlive the bundle for a while.
    DefaultThreadFactory threads = new DefaultThreadFactory("aion-qdrant", true);
    NioEventLoopGroup group = new NioEventLoopGroup(1, threads);
    ExecutorService names = Executors.newCachedThreadPool(threads);
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(url.getHost(), url.getPort() < 0 ? PORT : url.getPort())
            .eventLoopGroup(group)
            .channelType(NioSocketChannel.class)
            .directExecutor()
            .offloadExecutor(names)
            .disableRetry()
            .keepAliveTime(SILENCE_SECONDS_MAX, TimeUnit.SECONDS)
            .keepAliveTimeout(opening.timeoutMax().toMillis(), TimeUnit.MILLISECONDS)
            .maxInboundMessageSize(ANSWER_BYTES_MAX);
    ManagedChannel channel =
        (tls == null ? builder.usePlaintext() : builder.sslContext(tls)).build();
    QdrantGrpcClient.Builder client =
        QdrantGrpcClient.newBuilder(channel, false, false).withTimeout(opening.timeoutMax());
    String key = opening.secret() == null ? keyIn(url) : opening.secret();
    if (key != null) {
      client.withApiKey(key);
    }
    return new QdrantLink(channel, client.build(), group, names);
  }

  private static URI url(Opening opening) {
    try {
      URI url = new URI(opening.url());
      if (url.getHost() != null && url.getScheme().matches("https?|grpcs?")) {
        return url;
      }
    } catch (URISyntaxException malformed) {
      // Its message may hold the key.
    }
    throw new IllegalArgumentException(
        "url is none of a Qdrant server: http(s)://host:" + PORT + ", its gRPC port");
  }

  private static boolean isTls(URI url) {
    return url.getScheme().endsWith("s");
  }

  private static @Nullable String keyIn(URI url) {
    String user = url.getUserInfo();
    return user == null ? null : user.substring(user.indexOf(':') + 1);
  }

  private static SslContext tls(@Nullable Path caFile) {
    if (caFile != null && !Files.isReadable(caFile)) {
      throw new IllegalArgumentException("the file of certificates cannot be read");
    }
    try {
      SslContextBuilder builder =
          GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK);
      return caFile == null ? builder.build() : builder.trustManager(caFile.toFile()).build();
    } catch (SSLException | IllegalArgumentException unusable) {
      throw new IllegalArgumentException("the file of certificates holds none");
    }
  }

  /**
   * The server's answer.
   *
   * @throws StoreUnavailable for whatever is none; its cause says what gRPC said
   */
  <T> T ask(Function<QdrantGrpcClient, ListenableFuture<T>> question) {
    try {
      T answer = question.apply(client).get();
      if (!answers.getAndSet(true)) {
        log.info("the server of long memory answers again");
      }
      return answer;
    } catch (ExecutionException failed) {
      throw unavailable(Status.fromThrowable(failed).getCode(), failed.getCause());
    } catch (StatusRuntimeException failed) {
      throw unavailable(failed.getStatus().getCode(), failed);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailable("the store of long memory was not waited for", hurry);
    } finally {
      // Netty's buffers for this thread, which is not ours and would hold the bundle's classes.
      FastThreadLocal.removeAll();
    }
  }

  private StoreUnavailable unavailable(Status.Code code, @Nullable Throwable cause) {
    if (channel.isShutdown()) {
      return new StoreUnavailable("the store of long memory is closed");
    }
    String why =
        switch (code) {
          case DEADLINE_EXCEEDED -> {
            // What comes behind it on this connection would be as late.
            channel.enterIdle();
            yield "does not answer in time";
          }
          case UNAVAILABLE -> {
            tryAgainSoon();
            yield "cannot be reached";
          }
          default -> "refuses: " + code;
        };
    if (answers.getAndSet(false)) {
      log.warn("the server of long memory {}", why);
    }
    String message = "the server of long memory " + why;
    return cause == null ? new StoreUnavailable(message) : new StoreUnavailable(message, cause);
  }

  private void tryAgainSoon() {
    long last = triedAt.get();
    long now = System.nanoTime();
    if (now - last >= PAUSE_NANOS && triedAt.compareAndSet(last, now)) {
      channel.resetConnectBackoff();
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    names.shutdownNow();
    try {
      if (!channel.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
        log.warn("the channel to the server of long memory is still being closed");
      }
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
    group
        .shutdownGracefully(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS)
        .awaitUninterruptibly(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
    FastThreadLocal.removeAll();
  }
}
