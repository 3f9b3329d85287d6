package org.aionos.probes;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

@ObjectClassDefinition(name = "AION probes")
@interface ProbesConfig {

  @AttributeDefinition(
      name = "Tools",
      description =
          "Names of the tools to watch, or beginnings of names as acme.*; none: nothing is loaded."
              + " While one is watched each system call of the host takes a tenth of a microsecond longer")
  String[] tools() default {};

  @AttributeDefinition(
      name = "Slow",
      min = "1",
      max = "60000",
      description = "Milliseconds from which on a system call that has no reason to wait is slow")
  int slowMillis() default 50;

  @AttributeDefinition(
      name = "Input and output",
      min = "1024",
      max = "1099511627776",
      description = "Bytes of files a second beyond which a tool is an anomaly")
  long ioBytesPerSecondMax() default 67_108_864;

  @AttributeDefinition(
      name = "Denied",
      min = "1",
      max = "1000000",
      description = "Denied system calls a second beyond which a tool is an anomaly")
  int deniedPerSecondMax() default 100;

  @AttributeDefinition(
      name = "Look",
      min = "50",
      max = "10000",
      description = "Milliseconds between two looks at what was counted")
  long lookMillis() default 250;

  @AttributeDefinition(
      name = "Program",
      description =
          "File of the program that holds the probes, for a kernel that is not root: a copy with"
              + " setcap cap_bpf,cap_perfmon+ep. Empty: the one that comes along")
  String program() default "";
}
