package org.aionos.trust;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION trust")
@interface TrustConfig {

  @AttributeDefinition(
      name = "Watch interval",
      min = "20",
      max = "60000",
      description = "Milliseconds between two looks at deploy/")
  long watchMillis() default 100;

  @AttributeDefinition(
      name = "Jar size",
      min = "1024",
      max = "1073741824",
      description = "Bytes of one tool jar, packed; four times as much unpacked")
  long jarBytesMax() default 67_108_864;

  @AttributeDefinition(
      name = "Start time",
      min = "100",
      max = "120000",
      description = "Milliseconds within which an installed tool must be callable")
  long startMillisMax() default 10_000;

  @AttributeDefinition(
      name = "Signature required",
      description =
          "Whether a tool needs a vendor's signature, and an operator's allowance is not enough")
  boolean requireSignature() default false;
}
