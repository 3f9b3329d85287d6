package org.aionos.backend.redis;

import io.lettuce.core.RedisCredentialsProvider;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslVerifyMode;
import io.lettuce.core.StaticCredentialsProvider;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.aionos.kernel.memory.StoreDriver.Opening;
import org.jspecify.annotations.Nullable;

/** Where a server is, and who asks it, as an operator says it. */
final class RedisAddress {

  private RedisAddress() {}

  /**
   * A link to the server; it is not used yet.
   *
   * @param what the server keeps, as messages name it
   * @throws IllegalArgumentException if the settings cannot be right
   */
  static RedisLink link(Opening opening, String what) {
    return new RedisLink(uri(opening), caFile(opening), opening.timeoutMax(), what);
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
}
