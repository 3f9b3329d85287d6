package org.aionos.identity;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.aionos.identity.KeySet.KeySource;

/** Reads a key set from a URL, bounded in time and size whatever the server does. */
final class JwksUrl implements KeySource {

  /** A hundred times the largest key set we know of. */
  private static final int BYTES_MAX = 1 << 20;

  private final URI url;
  private final Duration timeMax;
  // Follows no redirect: the operator said where the keys are, and nobody else does.
  private final HttpClient client = HttpClient.newHttpClient();

  /**
   * @param timeMax from the question to the last byte of the answer
   */
  JwksUrl(URI url, Duration timeMax) {
    this.url = url;
    this.timeMax = timeMax;
  }

  @Override
  public byte[] read() throws IOException {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    // The client's own time-out ends with the headers. This one holds for a body that trickles.
    CompletableFuture<HttpResponse<Void>> answer =
        client.sendAsync(
            HttpRequest.newBuilder(url).build(),
            BodyHandlers.ofByteArrayConsumer(part -> part.ifPresent(bytes -> add(body, bytes))));
    try {
      int status = answer.get(timeMax.toMillis(), TimeUnit.MILLISECONDS).statusCode();
      if (status != HttpURLConnection.HTTP_OK) {
        throw new IOException("status " + status + " from " + url);
      }
      return body.toByteArray();
    } catch (TimeoutException late) {
      throw new IOException("no key set from " + url + " in " + timeMax.toMillis() + " ms", late);
    } catch (ExecutionException failed) {
      throw new IOException("no key set from " + url + ": " + failed.getCause(), failed);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stopped);
    } finally {
      answer.cancel(true);
    }
  }

  private static void add(ByteArrayOutputStream body, byte[] part) {
    if (body.size() + part.length > BYTES_MAX) {
      throw new UncheckedIOException(new IOException("larger than " + BYTES_MAX + " bytes"));
    }
    body.writeBytes(part);
  }
}
