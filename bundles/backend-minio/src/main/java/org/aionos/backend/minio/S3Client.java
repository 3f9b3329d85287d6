package org.aionos.backend.minio;

import io.minio.MinioAsyncClient;
import io.minio.errors.ErrorResponseException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Protocol;
import org.aionos.kernel.memory.StoreDriver;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;

/**
 * The wire to an S3 server: one time-out over all that one question takes, and a few tries of it.
 * Every question that is asked here may be asked again: objects are written whole.
 */
final class S3Client implements AutoCloseable {

  private static final int TRIES_MAX = 3;
  private static final long PAUSE_MILLIS = 50;

  /** More threads than the kernel has that wait for objects; OkHttp's own limit is 5. */
  private static final int CALLS_MAX = 64;

  /** Any, for servers that have none; Amazon's are asked for theirs. */
  private static final String REGION = "us-east-1";

  private final OkHttpClient http;
  private final MinioAsyncClient minio;
  private final Duration timeoutMax;

  private S3Client(OkHttpClient http, MinioAsyncClient minio, Duration timeoutMax) {
    this.http = http;
    this.minio = minio;
    this.timeoutMax = timeoutMax;
  }

  /**
   * @throws IllegalArgumentException for settings that cannot be right
   */
  static S3Client open(StoreDriver.Opening opening) {
    HttpUrl url = HttpUrl.parse(opening.url());
    if (url == null || url.pathSize() > 1 || !url.encodedPath().equals("/")) {
      throw new IllegalArgumentException(
          "the url of an object store is http:// or https://, a host, and a port");
    }
    String user = opening.user() == null ? url.username() : opening.user();
    String secret = opening.secret() == null ? url.password() : opening.secret();
    if (user.isEmpty() || secret.isEmpty()) {
      throw new IllegalArgumentException("an object store wants an access key and a secret key");
    }
    OkHttpClient http = http(opening);
    MinioAsyncClient.Builder minio =
        MinioAsyncClient.builder()
            .endpoint(url.newBuilder().username("").password("").build())
            .credentials(user, secret)
            .httpClient(http);
    if (!url.host().endsWith(".amazonaws.com")) {
      minio.region(REGION);
    }
    return new S3Client(http, minio.build(), opening.timeoutMax());
  }

  private static OkHttpClient http(StoreDriver.Opening opening) {
    OkHttpClient.Builder http =
        new OkHttpClient.Builder()
            .connectTimeout(opening.timeoutMax())
            .readTimeout(opening.timeoutMax())
            .writeTimeout(opening.timeoutMax())
            .callTimeout(opening.timeoutMax())
            .followRedirects(false)
            .protocols(List.of(Protocol.HTTP_1_1))
            .socketFactory(new PromptSockets());
    Path caFile = opening.caFile();
    if (caFile != null) {
      X509TrustManager trusted = trusted(caFile);
      try {
        SSLContext tls = SSLContext.getInstance("TLS");
        tls.init(null, new TrustManager[] {trusted}, null);
        http.sslSocketFactory(tls.getSocketFactory(), trusted);
      } catch (GeneralSecurityException impossible) {
        throw new IllegalStateException(impossible);
      }
    }
    OkHttpClient client = http.build();
    client.dispatcher().setMaxRequests(CALLS_MAX);
    client.dispatcher().setMaxRequestsPerHost(CALLS_MAX);
    return client;
  }

  private static X509TrustManager trusted(Path caFile) {
    try (InputStream pem = Files.newInputStream(caFile)) {
      KeyStore keys = KeyStore.getInstance(KeyStore.getDefaultType());
      keys.load(null, null);
      for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
        keys.setCertificateEntry("ca-" + keys.size(), each);
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(keys);
      return (X509TrustManager) factory.getTrustManagers()[0];
    } catch (IOException | GeneralSecurityException unreadable) {
      throw new IllegalArgumentException(
          "the certificates of the object store cannot be read", unreadable);
    }
  }

  MinioAsyncClient minio() {
    return minio;
  }

  /** A moment by which a question must be answered. */
  long deadline() {
    return System.nanoTime() + timeoutMax.toNanos();
  }

  /**
   * Asks, and asks again while the server is in trouble, until the deadline.
   *
   * @throws ErrorResponseException for a refusal that would come again
   * @throws StoreUnavailable if there was no answer
   */
  <T> T ask(Supplier<CompletableFuture<T>> question, long deadline) throws ErrorResponseException {
    for (int tries = 1; ; tries++) {
      CompletableFuture<T> asked = question.get();
      try {
        return asked.get(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (TimeoutException late) {
        asked.cancel(true);
        throw new StoreUnavailable("the object store does not answer in time", late);
      } catch (InterruptedException hurry) {
        asked.cancel(true);
        Thread.currentThread().interrupt();
        throw new StoreUnavailable("interrupted while the object store was asked", hurry);
      } catch (ExecutionException failed) {
        ErrorResponseException refusal = refusal(failed);
        if (refusal != null && refusal.response().code() < 500) {
          throw refusal;
        }
        if (tries == TRIES_MAX || !pause(tries, deadline)) {
          throw new StoreUnavailable("the object store does not answer", failed);
        }
      }
    }
  }

  private static @Nullable ErrorResponseException refusal(Throwable failed) {
    Throwable cause = failed.getCause();
    while (cause instanceof CompletionException && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof ErrorResponseException refusal ? refusal : null;
  }

  private static boolean pause(int tries, long deadline) {
    long millis = PAUSE_MILLIS << tries;
    if (deadline - System.nanoTime() < TimeUnit.MILLISECONDS.toNanos(millis)) {
      return false;
    }
    try {
      Thread.sleep(millis);
      return true;
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** On a thread of the client, so that whoever asked can go on when the time is over. */
  <S, T> CompletableFuture<T> then(CompletableFuture<S> answer, Reading<S, T> reading) {
    return answer.thenApplyAsync(
        it -> {
          try {
            return reading.read(it);
          } catch (IOException broken) {
            throw new CompletionException(broken);
          }
        },
        http.dispatcher().executorService());
  }

  @FunctionalInterface
  interface Reading<S, T> {
    T read(S answer) throws IOException;
  }

  @Override
  public void close() {
    http.dispatcher().cancelAll();
    http.dispatcher().executorService().shutdownNow();
    http.connectionPool().evictAll();
  }

  /**
   * Sockets that send at once: with Nagle's algorithm each write of an object waits 40 ms for an
   * acknowledgement.
   */
  private static final class PromptSockets extends SocketFactory {

    @Override
    public Socket createSocket() throws IOException {
      Socket socket = new Socket();
      socket.setTcpNoDelay(true);
      return socket;
    }

    @Override
    public Socket createSocket(String host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(String host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port) {
      throw new UnsupportedOperationException();
    }

    @Override
    public Socket createSocket(InetAddress host, int port, InetAddress local, int localPort) {
      throw new UnsupportedOperationException();
    }
  }
}
