package org.aionos.backend.redis;

import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.StaticCredentialsProvider;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.StoreDriver;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;

/** Keeps short memory in a Redis server, version 7 or newer, that kernels may share. */
@Component(service = StoreDriver.class, property = StoreDriver.DRIVER + "=redis")
public final class RedisDriver implements StoreDriver {

  /** Netty's last thread ends a second after its last task. */
  private static final int LAST_THREAD_SECONDS_MAX = 5;

  private final Set<RedisItems> open = ConcurrentHashMap.newKeySet();

  @Override
  public ItemStore open(Opening opening) {
    if (!opening.type().equals("short")) {
      throw new IllegalArgumentException(
          "redis keeps short memory alone: it finds nothing by words or vectors");
    }
    RedisItems items =
        new RedisItems(
            new RedisLink(uri(opening), caFile(opening), opening.timeoutMax()),
            opening.timeoutMax(),
            open::remove);
    open.add(items);
    return items;
  }

  private static RedisURI uri(Opening opening) {
    if (!opening.url().startsWith("redis://") && !opening.url().startsWith("rediss://")) {
      throw new IllegalArgumentException("url must begin with redis:// or rediss://");
    }
    try {
      URI url = new URI(opening.url());
      RedisURI uri = RedisURI.create(url);
      uri.setTimeout(opening.timeoutMax());
      uri.setVerifyPeer(SslVerifyMode.FULL);
      if (opening.user() != null || opening.secret() != null) {
        uri.setCredentialsProvider(credentials(opening, url.getUserInfo()));
      }
      return uri;
    } catch (URISyntaxException | RuntimeException malformed) {
      // Its message may hold the password.
      throw new IllegalArgumentException("url is none of a Redis server");
    }
  }

  private static RedisCredentialsProvider credentials(Opening opening, @Nullable String inUrl) {
    String[] parts = (inUrl == null ? ":" : inUrl).split(":", 2);
    String user = opening.user() == null ? parts[0] : opening.user();
    String secret = opening.secret() == null ? parts[parts.length - 1] : opening.secret();
    return new StaticCredentialsProvider(user.isEmpty() ? null : user, secret.toCharArray());
  }

  private static @Nullable Path caFile(Opening opening) {
    Path file = opening.caFile();
    if (file != null && !Files.isReadable(file)) {
      throw new IllegalArgumentException("the file of certificates cannot be read");
    }
    return file;
  }

  /** Leaves no thread behind, also if a store was not closed. */
  @Deactivate
  void close() {
    open.forEach(RedisItems::close);
    try {
      GlobalEventExecutor.INSTANCE.awaitInactivity(LAST_THREAD_SECONDS_MAX, TimeUnit.SECONDS);
    } catch (IllegalStateException neverStarted) {
      return;
    } catch (InterruptedException hurry) {
      Thread.currentThread().interrupt();
    }
  }
}
