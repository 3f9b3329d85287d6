package org.aionos.backend.minio;

import static org.assertj.core.api.Assertions.assertThat;

import io.minio.GetBucketLifecycleArgs;
import io.minio.MinioAsyncClient;
import io.minio.SetBucketLifecycleArgs;
import io.minio.messages.Filter;
import io.minio.messages.LifecycleConfiguration;
import io.minio.messages.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.UUID;
import org.aionos.items.ObjectStoreContract;
import org.aionos.kernel.memory.ObjectStore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CephObjectsTest extends ObjectStoreContract {

  @TempDir static Path folder;
  private static S3Server server;

  private final String bucket = "aion-" + UUID.randomUUID();

  @BeforeAll
  static void start() throws Exception {
    server = CephServer.start(folder.resolve("ceph"));
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Override
  protected ObjectStore open() {
    return new MinioDriver()
        .open(server.opening(bucket, folder, Duration.ofSeconds(30)), Duration.ofDays(3));
  }

  @Test
  void episodes_are_taken_away_by_the_bucket_itself_and_other_rules_of_it_stay() throws Exception {
    try (ObjectStore store = open();
        S3Client s3 = S3Client.open(server.opening(bucket, folder, Duration.ofSeconds(30)))) {
      store.put("other/x", new byte[1]);
      MinioAsyncClient minio = s3.minio();
      LifecycleConfiguration.Rule own =
          new LifecycleConfiguration.Rule(
              Status.ENABLED,
              null,
              new LifecycleConfiguration.Expiration((ZonedDateTime) null, 9, null, null),
              new Filter("other/"),
              "theirs",
              null,
              null,
              null);
      minio
          .setBucketLifecycle(
              SetBucketLifecycleArgs.builder()
                  .bucket(bucket)
                  .config(new LifecycleConfiguration(List.of(own)))
                  .build())
          .get();
    }
    try (ObjectStore store = open();
        S3Client s3 = S3Client.open(server.opening(bucket, folder, Duration.ofSeconds(30)))) {
      store.put("episodic/acme/ann/2030-01-01/x.jsonl", new byte[1]);
      List<LifecycleConfiguration.Rule> rules =
          s3.minio()
              .getBucketLifecycle(GetBucketLifecycleArgs.builder().bucket(bucket).build())
              .get()
              .rules();

      assertThat(rules)
          .extracting(
              LifecycleConfiguration.Rule::id,
              rule -> rule.filter().prefix(),
              rule -> rule.expiration().days())
          .containsExactlyInAnyOrder(
              org.assertj.core.groups.Tuple.tuple("theirs", "other/", 9),
              org.assertj.core.groups.Tuple.tuple("aion-episodic", "episodic/", 4));
    }
  }
}
