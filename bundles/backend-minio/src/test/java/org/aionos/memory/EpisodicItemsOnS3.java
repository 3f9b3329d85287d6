package org.aionos.memory;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import org.aionos.backend.minio.MinioDriver;
import org.aionos.backend.minio.S3Server;
import org.aionos.items.ItemStoreContract;
import org.aionos.kernel.memory.ItemStore;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** Small segments that are uploaded, read there, rewritten and deleted while the contract runs. */
abstract class EpisodicItemsOnS3 extends ItemStoreContract {

  @TempDir static Path library;
  @TempDir Path folder;

  private final String bucket = "aion-" + UUID.randomUUID();

  @BeforeAll
  static void load() throws IOException {
    NativeLibrary.load(library, "test");
  }

  abstract S3Server server();

  @Override
  protected ItemStore open() {
    return EpisodicItems.open(
        folder,
        folder.resolve("index"),
        false,
        new MinioDriver()
            .open(server().opening(bucket, folder, Duration.ofSeconds(30)), Duration.ofDays(3_651)),
        new EpisodicItems.Limits(2_000, Duration.ofSeconds(1), 4 << 20, 2_000),
        Duration.ofMillis(5),
        InstantSource.fixed(NOW));
  }
}
