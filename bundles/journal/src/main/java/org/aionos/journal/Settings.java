package org.aionos.journal;

import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/** The configuration, checked. */
record Settings(
    Sync sync,
    long segmentBytesMax,
    Duration retention,
    long retentionBytesMax,
    Duration checkpointMax,
    long checkpointRecordsMax) {

  static final long SEGMENT_BYTES_MIN = 1L << 10;

  /** Recovery reads the end of one segment into memory. */
  static final long SEGMENT_BYTES_MAX = 256L << 20;

  Settings {
    within("segmentBytesMax", segmentBytesMax, SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
    within("retentionDays", retention.toDays(), 1, 36_500);
    within("retentionBytesMax", retentionBytesMax, SEGMENT_BYTES_MIN, 1L << 50);
    within("checkpointSecondsMax", checkpointMax.toSeconds(), 1, 86_400);
    within("checkpointRecordsMax", checkpointRecordsMax, 1, 10_000_000);
  }

  static Settings of(JournalConfig config) {
    return new Settings(
        sync(config.sync()),
        config.segmentBytesMax(),
        Duration.ofDays(config.retentionDays()),
        config.retentionBytesMax(),
        Duration.ofSeconds(config.checkpointSecondsMax()),
        config.checkpointRecordsMax());
  }

  private static Sync sync(String name) {
    return Arrays.stream(Sync.values())
        .filter(sync -> sync.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "org.aionos.journal: sync must be process or always, not " + name));
  }

  private static void within(String name, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          "org.aionos.journal: " + name + " must be from " + min + " to " + max + ", not " + value);
    }
  }
}
