package org.aionos.backend.minio;

import io.minio.GetBucketLifecycleArgs;
import io.minio.GetObjectArgs;
import io.minio.GetObjectResponse;
import io.minio.ListObjectsV2Args;
import io.minio.MakeBucketArgs;
import io.minio.PutObjectArgs;
import io.minio.RemoveObjectArgs;
import io.minio.SetBucketLifecycleArgs;
import io.minio.errors.ErrorResponseException;
import io.minio.messages.Contents;
import io.minio.messages.Filter;
import io.minio.messages.LifecycleConfiguration;
import io.minio.messages.Status;
import java.io.IOException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.aionos.items.ObjectNames;
import org.aionos.kernel.memory.ObjectStore;
import org.aionos.kernel.memory.StoreUnavailable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A bucket. It is made, and its rule of expiry set, when the first object is written. */
final class MinioObjects implements ObjectStore {

  private static final Logger log = LoggerFactory.getLogger(MinioObjects.class);

  private static final int NAMES_MAX = 1_000;

  /**
   * Of an object that is read: more than a segment of 8 MB with the largest change behind it, which
   * has 100 items of 1 MB. What is larger was not written by us.
   */
  private static final int OBJECT_BYTES_MAX = 256 << 20;

  /** Names our rule among others that the bucket may have. */
  private static final String RULE = "aion-episodic";

  private static final String EXPIRING = "episodic/";

  private static final Set<String> GONE = Set.of("NoSuchKey", "NoSuchBucket", "NoSuchObject");

  private final S3Client s3;
  private final String bucket;
  private final int expireAfterDays;
  private final AtomicBoolean ruled = new AtomicBoolean();

  MinioObjects(S3Client s3, String bucket, Duration expireAfter) {
    this.s3 = s3;
    this.bucket = bucket;
    // S3 counts whole days, rounded up.
    this.expireAfterDays = (int) Math.min(Integer.MAX_VALUE, expireAfter.toDays() + 1);
  }

  @Override
  public void put(String name, byte[] bytes) {
    String object = ObjectNames.checked(name);
    long deadline = s3.deadline();
    try {
      write(object, bytes, deadline);
    } catch (ErrorResponseException refusal) {
      if (!refusal.errorResponse().code().equals("NoSuchBucket")) {
        throw refused(refusal);
      }
      makeBucket(deadline);
      try {
        write(object, bytes, deadline);
      } catch (ErrorResponseException again) {
        throw refused(again);
      }
    }
    if (ruled.compareAndSet(false, true)) {
      setRule();
    }
  }

  private void write(String object, byte[] bytes, long deadline) throws ErrorResponseException {
    s3.ask(
        () ->
            s3.minio()
                .putObject(
                    PutObjectArgs.builder()
                        .bucket(bucket)
                        .object(object)
                        .data(bytes, bytes.length)
                        .build()),
        deadline);
  }

  private void makeBucket(long deadline) {
    try {
      s3.ask(
          () -> s3.minio().makeBucket(MakeBucketArgs.builder().bucket(bucket).build()), deadline);
    } catch (ErrorResponseException refusal) {
      if (!refusal.errorResponse().code().startsWith("BucketAlready")) {
        throw refused(refusal);
      }
    }
  }

  /** Objects outlive it without the rule, and take room: no reason to refuse one. */
  private void setRule() {
    try {
      long deadline = s3.deadline();
      List<LifecycleConfiguration.Rule> rules = new ArrayList<>(otherRules(deadline));
      rules.add(
          new LifecycleConfiguration.Rule(
              Status.ENABLED,
              null,
              new LifecycleConfiguration.Expiration(
                  (ZonedDateTime) null, expireAfterDays, null, null),
              new Filter(EXPIRING),
              RULE,
              null,
              null,
              null));
      s3.ask(
          () ->
              s3.minio()
                  .setBucketLifecycle(
                      SetBucketLifecycleArgs.builder()
                          .bucket(bucket)
                          .config(new LifecycleConfiguration(rules))
                          .build()),
          deadline);
    } catch (ErrorResponseException refusal) {
      log.warn(
          "the object store sets no rule of expiry: reason={}", refusal.errorResponse().code());
    } catch (StoreUnavailable away) {
      ruled.set(false);
    }
  }

  private List<LifecycleConfiguration.Rule> otherRules(long deadline)
      throws ErrorResponseException {
    try {
      // An answer without rules is none.
      List<LifecycleConfiguration> found = new ArrayList<>();
      s3.ask(
          () ->
              s3.minio()
                  .getBucketLifecycle(GetBucketLifecycleArgs.builder().bucket(bucket).build())
                  .thenAccept(
                      rules -> {
                        if (rules != null) {
                          found.add(rules);
                        }
                      }),
          deadline);
      return found.stream()
          .flatMap(each -> each.rules().stream())
          .filter(rule -> !RULE.equals(rule.id()))
          .toList();
    } catch (ErrorResponseException refusal) {
      if (refusal.errorResponse().code().equals("NoSuchLifecycleConfiguration")) {
        return List.of();
      }
      throw refusal;
    }
  }

  @Override
  public Optional<byte[]> get(String name) {
    return read(GetObjectArgs.builder().bucket(bucket).object(ObjectNames.checked(name)).build());
  }

  @Override
  public Optional<byte[]> get(String name, long from, int length) {
    return read(
        GetObjectArgs.builder()
            .bucket(bucket)
            .object(ObjectNames.checked(name))
            .offset(from)
            .length((long) length)
            .build());
  }

  private Optional<byte[]> read(GetObjectArgs wanted) {
    try {
      return Optional.of(
          s3.ask(() -> s3.then(s3.minio().getObject(wanted), MinioObjects::bytes), s3.deadline()));
    } catch (ErrorResponseException refusal) {
      if (GONE.contains(refusal.errorResponse().code())) {
        return Optional.empty();
      }
      throw refused(refusal);
    }
  }

  private static byte[] bytes(GetObjectResponse answer) throws IOException {
    try (answer) {
      byte[] bytes = answer.readNBytes(OBJECT_BYTES_MAX + 1);
      if (bytes.length > OBJECT_BYTES_MAX) {
        throw new IOException("an object has more than " + OBJECT_BYTES_MAX + " bytes");
      }
      return bytes;
    }
  }

  @Override
  public void delete(String name) {
    RemoveObjectArgs object =
        RemoveObjectArgs.builder().bucket(bucket).object(ObjectNames.checked(name)).build();
    try {
      s3.ask(() -> s3.minio().removeObject(object).thenApply(gone -> true), s3.deadline());
    } catch (ErrorResponseException refusal) {
      if (!GONE.contains(refusal.errorResponse().code())) {
        throw refused(refusal);
      }
    }
  }

  @Override
  public List<String> names(String prefix, @Nullable String after, int limit) {
    ListObjectsV2Args.Builder wanted =
        ListObjectsV2Args.builder()
            .bucket(bucket)
            .prefix(ObjectNames.checkedPrefix(prefix))
            .maxKeys(Math.min(limit, NAMES_MAX));
    if (after != null) {
      wanted.startAfter(after);
    }
    ListObjectsV2Args args = wanted.build();
    try {
      return s3
          .ask(() -> s3.minio().listObjectsV2(args), s3.deadline())
          .result()
          .contents()
          .stream()
          .map(Contents::objectName)
          .toList();
    } catch (ErrorResponseException refusal) {
      if (GONE.contains(refusal.errorResponse().code())) {
        return List.of();
      }
      throw refused(refusal);
    }
  }

  private static StoreUnavailable refused(ErrorResponseException refusal) {
    return new StoreUnavailable(
        "the object store refuses: " + refusal.errorResponse().code(), refusal);
  }

  @Override
  public void close() {
    s3.close();
  }
}
