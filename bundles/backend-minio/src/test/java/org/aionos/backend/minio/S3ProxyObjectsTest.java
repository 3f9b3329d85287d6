package org.aionos.backend.minio;

import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;
import org.aionos.items.ObjectStoreContract;
import org.aionos.kernel.memory.ObjectStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

final class S3ProxyObjectsTest extends ObjectStoreContract {

  @TempDir static Path folder;
  private static S3Server server;

  private final String bucket = "aion-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = S3ProxyServer.start(folder);
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected ObjectStore open() {
    return new MinioDriver()
        .open(server.opening(bucket, folder, Duration.ofSeconds(10)), Duration.ofDays(3));
  }
}
