package org.aionos.router;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION syscall router")
@interface RouterConfig {

  @AttributeDefinition(
      name = "Calls in flight",
      min = "1",
      max = "10000",
      description = "Beyond these a call is refused with 503; keep it below the gateway's threads")
  int callsInFlightMax() default 640;

  @AttributeDefinition(
      name = "Default deadline",
      min = "10",
      max = "600000",
      description = "Milliseconds a call may take that names no budget.latency_ms")
  long deadlineMillis() default 30_000;

  @AttributeDefinition(
      name = "Longest deadline",
      min = "10",
      max = "3600000",
      description = "Milliseconds; a longer budget.latency_ms is cut to it")
  long deadlineMillisMax() default 600_000;

  @AttributeDefinition(
      name = "Drain time",
      min = "0",
      max = "60000",
      description = "Milliseconds that a part being swapped waits for its calls in flight")
  long drainMillisMax() default 5_000;

  @AttributeDefinition(
      name = "Result size",
      min = "1024",
      max = "67108864",
      description = "Bytes of text in one result")
  int resultBytesMax() default 4_194_304;

  @AttributeDefinition(
      name = "Idempotency window",
      min = "60",
      max = "2592000",
      description = "Seconds during which a repeated idempotency key gives the recorded outcome")
  long idempotencySeconds() default 86_400;

  @AttributeDefinition(
      name = "Idempotency keys",
      min = "1000",
      max = "10000000",
      description = "Keys remembered at once; beyond them calls with a new key are refused")
  int idempotencyKeysMax() default 200_000;

  @AttributeDefinition(
      name = "Workspace size",
      min = "4096",
      max = "1099511627776",
      description = "Bytes of files that one agent may keep")
  long workspaceBytesMax() default 67_108_864;

  @AttributeDefinition(
      name = "Workspace files",
      min = "1",
      max = "1000000",
      description = "Files and folders that one agent may keep")
  int workspaceFilesMax() default 4_096;

  @AttributeDefinition(
      name = "File size",
      min = "1024",
      max = "67108864",
      description = "Bytes of one file that is read or written")
  int fileBytesMax() default 1_048_576;

  @AttributeDefinition(
      name = "Calls of a canary",
      min = "10",
      max = "500",
      description = "Calls of each side before a new version is compared with the old one")
  int canaryCallsMin() default 50;

  @AttributeDefinition(
      name = "Failures of a canary in a row",
      min = "2",
      max = "500",
      description = "So many end it before that")
  int canaryFailuresInARowMax() default 5;

  @AttributeDefinition(
      name = "Failures of a canary",
      min = "0",
      max = "100",
      description = "Percent of its calls by which a new version may fail more than the old one")
  int canaryFailedMorePercentMax() default 2;

  @AttributeDefinition(
      name = "Latency of a canary",
      min = "0",
      max = "10000",
      description =
          "Percent by which the 95th percentile of a new version may be above the old one's")
  int canarySlowerPercentMax() default 50;
}
