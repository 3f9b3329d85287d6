package org.aionos.backend.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.MaintNotificationsConfig;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisNoScriptException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.SslOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisAsyncCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.metrics.CommandLatencyRecorder;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.netty.resolver.DefaultAddressResolverGroup;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one connection to a server, which all threads share. It is made when it is first used, and
 * made anew by whoever next asks after it broke: the client's own way of doing so would send a
 * command a second time whose answer was lost, and keep commands for a server that is away.
 */
final class RedisLink implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(RedisLink.class);

  /** Commands on their way; far more than the kernel has threads. */
  private static final int COMMANDS_MAX = 1_024;

  /** After a connection could not be made the next attempt waits so long; who asks is refused. */
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

  private static final int CLOSE_SECONDS_MAX = 5;
  private static final int LAST_THREAD_SECONDS_MAX = 5;

  private final RedisURI uri;
  private final String what;
  private final long timeoutNanosMax;
  private final ClientResources resources;
  private final RedisClient client;
  private final AtomicBoolean answers = new AtomicBoolean(true);

  private @Nullable CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connection;
  private long failedAt;
  private boolean closed;

  /**
   * @param what the server keeps, as messages name it
   */
  RedisLink(RedisURI uri, @Nullable Path caFile, Duration timeoutMax, String what) {
    this.uri = uri;
    this.what = what;
    this.timeoutNanosMax = timeoutMax.toNanos();
    this.resources =
        DefaultClientResources.builder()
            .ioThreadPoolSize(2)
            .computationThreadPoolSize(2)
            .addressResolverGroup(DefaultAddressResolverGroup.INSTANCE)
            .commandLatencyRecorder(CommandLatencyRecorder.disabled())
            .build();
    this.client = RedisClient.create(resources);
    client.setOptions(options(caFile, timeoutMax));
  }

  private static ClientOptions options(@Nullable Path caFile, Duration timeoutMax) {
    ClientOptions.Builder options =
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .requestQueueSize(COMMANDS_MAX)
            .maintNotificationsConfig(MaintNotificationsConfig.disabled())
            .socketOptions(
                SocketOptions.builder().connectTimeout(timeoutMax).tcpNoDelay(true).build());
    if (caFile != null) {
      options.sslOptions(
          SslOptions.builder().jdkSslProvider().trustManager(caFile.toFile()).build());
    }
    return options.build();
  }

  /**
   * The server's answer.
   *
   * @throws RedisNoScriptException as it is
   * @throws StoreUnavailable for whatever else is no answer
   */
  <T> T ask(Function<RedisAsyncCommands<byte[], byte[]>, ? extends Future<T>> question) {
    try {
      StatefulRedisConnection<byte[], byte[]> open = await(connection());
      try {
        T answer = await(question.apply(open.async()));
        if (!answers.getAndSet(true)) {
          log.info("the server of {} answers again", what);
        }
        return answer;
      } catch (TimeoutException slow) {
        // What comes after it on this connection would be as late.
        if (open.isOpen()) {
          open.closeAsync();
        }
        throw slow;
      }
    } catch (TimeoutException slow) {
      throw unavailable("does not answer in time", slow);
    } catch (ExecutionException failed) {
      throw unavailable(failed.getCause() == null ? failed : failed.getCause());
    } catch (RedisException | CancellationException failed) {
      throw unavailable(failed);
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailable("the server of " + what + " was not waited for", hurry);
    } finally {
      // Netty's buffers for this thread, which is not ours and would hold the bundle's classes.
      FastThreadLocal.removeAll();
    }
  }

  /**
   * What a script returns.
   *
   * @throws StoreUnavailable also if the script fails
   */
  <T> T run(Script script, ScriptOutputType type, List<byte[]> keys, List<byte[]> arguments) {
    byte[][] k = keys.toArray(byte[][]::new);
    byte[][] a = arguments.toArray(byte[][]::new);
    try {
      return ask(c -> c.evalsha(script.digest(), type, k, a));
    } catch (RedisNoScriptException forgotten) {
      return ask(c -> c.eval(script.text(), type, k, a));
    }
  }

  private <T> T await(Future<T> future)
      throws InterruptedException, ExecutionException, TimeoutException {
    return future.get(timeoutNanosMax, TimeUnit.NANOSECONDS);
  }

  private synchronized CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connection() {
    if (closed) {
      throw new StoreUnavailable("the store of " + what + " is closed");
    }
    if (connection != null && isUsable(connection)) {
      return connection;
    }
    if (connection != null
        && connection.isCompletedExceptionally()
        && System.nanoTime() - failedAt < PAUSE_NANOS) {
      return connection;
    }
    CompletableFuture<StatefulRedisConnection<byte[], byte[]>> fresh =
        client.connectAsync(ByteArrayCodec.INSTANCE, uri).toCompletableFuture();
    connection = fresh;
    fresh.whenComplete(
        (open, failed) -> {
          if (failed != null) {
            failed();
          }
        });
    return fresh;
  }

  private static boolean isUsable(
      CompletableFuture<StatefulRedisConnection<byte[], byte[]>> connection) {
    return !connection.isDone()
        || (!connection.isCompletedExceptionally() && connection.join().isOpen());
  }

  private synchronized void failed() {
    failedAt = System.nanoTime();
  }

  private RuntimeException unavailable(Throwable failed) {
    if (failed instanceof RedisNoScriptException unknown) {
      return unknown;
    }
    for (Throwable cause = failed; cause != null; cause = cause.getCause()) {
      // A wrong password shows when the connection is made, and stands below what says so.
      if (cause instanceof RedisCommandExecutionException refusal) {
        return unavailable("refuses: " + kind(refusal), refusal);
      }
    }
    return unavailable("cannot be reached", failed);
  }

  /** The first word, such as OOM or READONLY; what follows is not ours to show. */
  private static String kind(RedisCommandExecutionException refusal) {
    String word = String.valueOf(refusal.getMessage()).split("\\W", 2)[0];
    return word.equals(word.toUpperCase(Locale.ROOT)) ? word : "ERR";
  }

  private StoreUnavailable unavailable(String why, Throwable cause) {
    if (answers.getAndSet(false)) {
      log.warn("the server of {} {}", what, why);
    }
    return new StoreUnavailable("the server of " + what + " " + why, cause);
  }

  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    client.shutdown(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
    resources.shutdown(0, CLOSE_SECONDS_MAX, TimeUnit.SECONDS).awaitUninterruptibly();
    FastThreadLocal.removeAll();
  }

  /** After the last link was closed: Netty's last thread ends a second after its last task. */
  static void awaitThreads() {
    try {
      GlobalEventExecutor.INSTANCE.awaitInactivity(LAST_THREAD_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (IllegalStateException neverStarted) {
      return;
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
