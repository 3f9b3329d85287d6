package org.aionos.egress;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION egress broker")
@interface EgressConfig {

  @AttributeDefinition(
      name = "Request size",
      min = "0",
      max = "67108864",
      description = "Bytes of the body of one request")
  int requestBytesMax() default 1_048_576;

  @AttributeDefinition(
      name = "Answer size",
      min = "1024",
      max = "67108864",
      description = "Bytes of the body of one answer; a longer one is refused")
  int answerBytesMax() default 2_097_152;

  @AttributeDefinition(
      name = "Requests in flight",
      min = "1",
      max = "1000",
      description = "Requests at once, whoever makes them; beyond them 503")
  int requestsInFlightMax() default 64;

  @AttributeDefinition(
      name = "Redirects",
      min = "0",
      max = "20",
      description = "Redirects followed for one request")
  int redirectsMax() default 5;

  @AttributeDefinition(
      name = "Connect time",
      min = "100",
      max = "60000",
      description = "Milliseconds to connect")
  long connectMillisMax() default 5_000;

  @AttributeDefinition(
      name = "Silence",
      min = "100",
      max = "600000",
      description = "Milliseconds that a connection may say nothing while an answer is awaited")
  long idleMillisMax() default 30_000;

  @AttributeDefinition(
      name = "Watch interval",
      min = "20",
      max = "60000",
      description = "Milliseconds between two looks at egress.yaml and secrets.yaml")
  long watchMillis() default 500;
}
