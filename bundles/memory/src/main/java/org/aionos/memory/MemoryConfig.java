package org.aionos.memory;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION memory")
@interface MemoryConfig {

  @AttributeDefinition(
      name = "Short time to live",
      min = "1",
      max = "315360000",
      description = "Seconds that a short item lives if neither it nor its agent's manifest says")
  long shortTtlSeconds() default 3_600;

  @AttributeDefinition(
      name = "Long time to live",
      min = "1",
      max = "315360000",
      description = "Seconds that a long item lives if neither it nor its agent's manifest says")
  long longTtlSeconds() default 1_209_600;

  @AttributeDefinition(
      name = "Memory of a tenant",
      min = "65536",
      max = "1099511627776",
      description =
          "Bytes of keys and contents that a tenant's items of one type may have; more get 429")
  long tenantBytesMax() default 268_435_456;

  @AttributeDefinition(
      name = "Value",
      min = "64",
      max = "1048576",
      description = "Bytes of JSON of one value; more get 413")
  int valueBytesMax() default 262_144;

  @AttributeDefinition(
      name = "Synchronous",
      description = "Whether a put survives a power loss too, at the price of a disk flush")
  boolean sync() default false;

  @AttributeDefinition(
      name = "Sweep",
      min = "50",
      max = "60000",
      description = "Milliseconds between two looks for expired items")
  long sweepMillis() default 1_000;
}
