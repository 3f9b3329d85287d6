package org.aionos.memory;

import java.nio.file.Path;
import org.aionos.backend.minio.CephServer;
import org.aionos.backend.minio.S3Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

final class EpisodicItemsOnCephTest extends EpisodicItemsOnS3 {

  @TempDir static Path served;
  private static S3Server server;

  @BeforeAll
  static void start() throws Exception {
    server = CephServer.start(served.resolve("ceph"));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  S3Server server() {
    return server;
  }
}
