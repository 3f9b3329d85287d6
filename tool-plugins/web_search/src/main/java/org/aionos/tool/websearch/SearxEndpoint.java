package org.aionos.tool.websearch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * One SearXNG-compatible instance: {@code GET <endpoint>/search?q=…&format=json}. Any thread may
 * search. The time given bounds the whole exchange, the body too, and an interrupt ends it.
 */
final class SearxEndpoint implements AutoCloseable {

  /** W3C Trace Context; whatever else a caller calls its trace is no header for others. */
  private static final Pattern TRACEPARENT =
      Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");

  private final String searchUrl;
  private final String source;
  private final int answerBytesMax;

  // Our own threads: those of the client's default pool outlive the bundle by a minute.
  private final ExecutorService threads;
  private final HttpClient client;

  private SearxEndpoint(URI endpoint, int answerBytesMax) {
    this.searchUrl = endpoint.toString().replaceAll("/+$", "") + "/search";
    this.source = "searxng:" + endpoint.getHost();
    this.answerBytesMax = answerBytesMax;
    this.threads = Executors.newCachedThreadPool(SearxEndpoint::thread);
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(threads)
            .build();
  }

  /**
   * @throws IllegalArgumentException for anything but a plain http or https URL; the message does
   *     not repeat it, since a mistaken one may hold a password
   */
  static SearxEndpoint at(String url, int answerBytesMax) {
    URI endpoint = parsed(url);
    String scheme = String.valueOf(endpoint.getScheme()).toLowerCase(Locale.ROOT);
    boolean plain =
        endpoint.getHost() != null
            && endpoint.getRawUserInfo() == null
            && endpoint.getRawQuery() == null
            && endpoint.getRawFragment() == null;
    if (!plain || !(scheme.equals("http") || scheme.equals("https"))) {
      throw notAnEndpoint();
    }
    return new SearxEndpoint(endpoint, answerBytesMax);
  }

  List<SearchItem> search(SearchRequest request, Duration timeMax, @Nullable String traceId)
      throws EndpointFailure, InterruptedException {
    if (timeMax.isNegative() || timeMax.isZero()) {
      throw new EndpointFailure("the call's deadline left no time to ask it");
    }
    CompletableFuture<HttpResponse<byte[]>> asked =
        client.sendAsync(get(request, traceId), head -> new BoundedBody(answerBytesMax));
    try {
      return read(asked.get(timeMax.toNanos(), NANOSECONDS), request.limit());
    } catch (TimeoutException late) {
      throw new EndpointFailure("it did not answer within " + timeMax.toMillis() + " ms");
    } catch (ExecutionException failed) {
      throw new EndpointFailure(why(failed.getCause()));
    } finally {
      // After an answer this does nothing; after a timeout or an interrupt it drops the connection.
      asked.cancel(true);
    }
  }

  /** The client itself has no close on this JDK: its last thread ends once it is unreachable. */
  @Override
  public void close() {
    threads.shutdownNow();
  }

  private HttpRequest get(SearchRequest request, @Nullable String traceId) {
    String language = request.language();
    HttpRequest.Builder get =
        HttpRequest.newBuilder(
                URI.create(
                    searchUrl
                        + "?q="
                        + URLEncoder.encode(request.text(), UTF_8)
                        + "&format=json"
                        + (language == null ? "" : "&language=" + language)))
            .header("Accept", "application/json")
            .header("User-Agent", "AION-OS web_search");
    if (traceId != null && TRACEPARENT.matcher(traceId).matches()) {
      get.header("traceparent", traceId);
    }
    return get.build();
  }

  private List<SearchItem> read(HttpResponse<byte[]> answer, int limit) throws EndpointFailure {
    if (answer.statusCode() == 403) {
      throw new EndpointFailure("it answered 403; is its json format enabled?");
    }
    if (answer.statusCode() != 200) {
      throw new EndpointFailure("it answered " + answer.statusCode());
    }
    return SearxAnswer.read(answer.body(), limit, source);
  }

  // Only kinds of failure: the client's messages may repeat the URL.
  private static String why(@Nullable Throwable cause) {
    if (cause instanceof BoundedBody.TooLarge tooLarge) {
      return "its answer is larger than " + tooLarge.bytesMax + " bytes";
    }
    if (cause instanceof ConnectException) {
      return "no connection to it could be made";
    }
    return cause instanceof SSLException
        ? "no trusted TLS connection to it could be made"
        : "the connection to it broke";
  }

  private static URI parsed(String url) {
    try {
      return URI.create(url);
    } catch (IllegalArgumentException malformed) {
      throw notAnEndpoint();
    }
  }

  private static IllegalArgumentException notAnEndpoint() {
    return new IllegalArgumentException(
        "endpoint must be an http or https URL without user, query and fragment");
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "web_search-http");
    thread.setDaemon(true);
    return thread;
  }
}
