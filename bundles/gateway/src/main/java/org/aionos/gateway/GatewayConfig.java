package org.aionos.gateway;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION gateway")
@interface GatewayConfig {

  @AttributeDefinition(name = "Address", description = "Address the API listens on")
  String host() default "127.0.0.1";

  @AttributeDefinition(name = "Port", min = "1", max = "65535", description = "Port of the API")
  int port() default 8010;

  @AttributeDefinition(
      name = "Body size",
      min = "1024",
      max = "67108864",
      description = "Bytes of one request body; more gets 413")
  int bodyBytesMax() default 1_048_576;

  @AttributeDefinition(
      name = "Bodies size",
      min = "65536",
      max = "1073741824",
      description =
          "Bytes of all request bodies that are still on their way; more get 503. A part of the heap")
  int bodiesBytesMax() default 67_108_864;

  @AttributeDefinition(
      name = "Header size",
      min = "2048",
      max = "65536",
      description = "Bytes of all request headers; more gets 431")
  int headerBytesMax() default 16_384;

  @AttributeDefinition(
      name = "Threads",
      min = "16",
      max = "2000",
      description = "Each call in flight holds one; keep some more than router.callsInFlightMax")
  int threadsMax() default 800;

  @AttributeDefinition(
      name = "Connections",
      min = "16",
      max = "100000",
      description = "Open connections; beyond them new ones wait in the accept queue")
  int connectionsMax() default 4_096;

  @AttributeDefinition(
      name = "Idle time",
      min = "1000",
      max = "3600000",
      description = "Milliseconds after which a silent connection is closed")
  long idleMillisMax() default 60_000;

  @AttributeDefinition(
      name = "Stream size",
      min = "1024",
      max = "16777216",
      description =
          "Bytes of events that wait for a slow reader of one call; more are dropped, but the last")
  int streamBytesMax() default 262_144;

  @AttributeDefinition(
      name = "Stream silence",
      min = "20",
      max = "60000",
      description =
          "Milliseconds without an event after which a comment is sent, to see if the reader is"
              + " there: a reader who has gone is noticed within two of them")
  long streamSilenceMillisMax() default 75;

  @AttributeDefinition(
      name = "Drain time",
      min = "0",
      max = "60000",
      description = "Milliseconds that requests in flight get when the kernel stops")
  long drainMillisMax() default 5_000;

  @AttributeDefinition(
      name = "Tenant rate",
      min = "1",
      max = "10000000",
      description = "Authenticated requests of one tenant per second; more get 429")
  int tenantCallsPerSecondMax() default 10_000;

  @AttributeDefinition(
      name = "Stranger rate",
      min = "1",
      max = "1000000",
      description = "Refused credentials from one address per second that get a reason")
  int strangerCallsPerSecondMax() default 100;
}
