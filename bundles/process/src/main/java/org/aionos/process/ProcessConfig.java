package org.aionos.process;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION process table")
@interface ProcessConfig {

  @AttributeDefinition(
      name = "Heartbeat",
      min = "1",
      max = "3600",
      description = "Seconds between two signs of life that an agent is expected to give")
  int heartbeatSeconds() default 10;

  @AttributeDefinition(
      name = "Suspect after",
      min = "1",
      max = "1000",
      description = "Heartbeats missed in a row after which an agent is suspect")
  int suspectAfterHeartbeats() default 3;

  @AttributeDefinition(
      name = "Lost after",
      min = "2",
      max = "100000",
      description = "Heartbeats missed in a row after which it is lost; more than make it suspect")
  int lostAfterHeartbeats() default 12;

  @AttributeDefinition(
      name = "Agents per tenant",
      min = "1",
      max = "1000000",
      description = "Beyond these a tenant's next agent is refused with 429")
  int agentsPerTenantMax() default 10_000;

  @AttributeDefinition(
      name = "Agents folder",
      required = false,
      description =
          "Holds <tenant>/<agent>.yml, each registered as it stands; empty means agents/ in the"
              + " kernel's configuration folder")
  String agentsDir() default "";
}
