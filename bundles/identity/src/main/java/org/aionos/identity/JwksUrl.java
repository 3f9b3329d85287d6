package org.aionos.identity;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLConnection;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.aionos.identity.KeySet.KeySource;

/** Reads a key set from a URL, within {@link #TIME_MAX} and {@link #BYTES_MAX} whatever happens. */
final class JwksUrl implements KeySource {

  /** A caller is waiting for it. */
  static final Duration TIME_MAX = Duration.ofSeconds(3);

  /** A hundred times the largest key set we know of. */
  private static final int BYTES_MAX = 1 << 20;

  private final URI url;

  JwksUrl(URI url) {
    this.url = url;
  }

  @Override
  public byte[] read() throws IOException {
    URLConnection connection = url.toURL().openConnection();
    connection.setConnectTimeout((int) TIME_MAX.toMillis());
    connection.setReadTimeout((int) TIME_MAX.toMillis());
    connection.setUseCaches(false);
    // A thread of its own, because the time-outs above are per read: a provider that sends a byte a
    // second would hold us for days.
    FutureTask<byte[]> reading = new FutureTask<>(() -> read(connection));
    Thread reader = new Thread(reading, "aion-jwks");
    reader.setDaemon(true);
    reader.start();
    try {
      return reading.get(TIME_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException late) {
      throw new IOException("no key set from " + url + " within " + TIME_MAX.toSeconds() + " s");
    } catch (ExecutionException failed) {
      throw new IOException("no key set from " + url, failed.getCause());
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", stopped);
    } finally {
      if (!reading.isDone() && connection instanceof HttpURLConnection http) {
        http.disconnect();
      }
    }
  }

  private static byte[] read(URLConnection connection) throws IOException {
    if (connection instanceof HttpURLConnection http) {
      http.setInstanceFollowRedirects(false);
      if (http.getResponseCode() != HttpURLConnection.HTTP_OK) {
        throw new IOException("status " + http.getResponseCode());
      }
    }
    try (InputStream in = connection.getInputStream()) {
      byte[] bytes = in.readNBytes(BYTES_MAX + 1);
      if (bytes.length > BYTES_MAX) {
        throw new IOException("larger than " + BYTES_MAX + " bytes");
      }
      return bytes;
    }
  }
}
