package org.aionos.journal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** What an operator may set. */
@ObjectClassDefinition(name = "AION journal")
@interface JournalConfig {

  @AttributeDefinition(
      name = "Folder",
      description = "Where the journal lives; empty for <state>/journal",
      required = false)
  String dir() default "";

  @AttributeDefinition(
      name = "Durability",
      description =
          "process: a record survives the death of the process; always: also a power loss",
      options = {@Option(value = "process"), @Option(value = "always")})
  String sync() default "process";

  @AttributeDefinition(
      name = "Segment size",
      description = "Bytes after which a new segment file begins",
      min = "1024",
      max = "268435456")
  long segmentBytesMax() default 64L << 20;

  @AttributeDefinition(
      name = "Retention",
      description = "Days after which a whole segment is deleted",
      min = "1",
      max = "36500")
  int retentionDays() default 365;

  @AttributeDefinition(
      name = "Size",
      description = "Bytes of all segments, beyond which the oldest are deleted",
      min = "1024",
      max = "1125899906842624")
  long retentionBytesMax() default 8L << 30;

  @AttributeDefinition(
      name = "Checkpoint interval",
      description = "Seconds after which new records are covered by a signed checkpoint",
      min = "1",
      max = "86400")
  int checkpointSecondsMax() default 60;

  @AttributeDefinition(
      name = "Checkpoint records",
      description = "New records after which a signed checkpoint is made at once",
      min = "1",
      max = "10000000")
  long checkpointRecordsMax() default 1_000_000;
}
