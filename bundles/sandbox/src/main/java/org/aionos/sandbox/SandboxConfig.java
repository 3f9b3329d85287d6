package org.aionos.sandbox;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

@ObjectClassDefinition(name = "AION sandbox")
@interface SandboxConfig {

  @AttributeDefinition(
      name = "Launcher",
      description = "What builds the walls of process tools",
      options = {@Option(value = "bubblewrap"), @Option(value = Host.OCI)})
  String launcher() default "bubblewrap";

  @AttributeDefinition(
      name = "OCI runtime",
      description = "With the launcher oci: the absolute path of runc, crun or one of their kind")
  String ociRuntime() default "";

  @AttributeDefinition(
      name = "Degraded",
      description =
          "Run tools also where no cgroup can be used: each process is bounded, all together are not")
  boolean degraded() default false;

  @AttributeDefinition(
      name = "First user",
      min = "1000",
      max = "2000000000",
      description =
          "A kernel that runs as root gives each tenant a user of the host, from this number on;"
              + " 60,000 numbers must be free")
  int uidFirst() default 200_000;

  @AttributeDefinition(
      name = "Unpack folder",
      description =
          "Where tools are unpacked. Empty: state/sandbox/tools, and for a kernel that runs as root"
              + " a folder of its own in /var/lib/aion, which the tenants' users can reach")
  String unpackDir() default "";

  @AttributeDefinition(
      name = "Workers",
      min = "1",
      max = "10000",
      description = "Processes of tools that run at once, idle ones included")
  int workersMax() default 64;

  @AttributeDefinition(
      name = "Workers of a tool",
      min = "1",
      max = "10000",
      description = "Of these, how many may be of one tool")
  int workersPerToolMax() default 56;

  @AttributeDefinition(
      name = "Calls of a worker",
      min = "1",
      max = "1000000",
      description = "A worker is replaced after so many")
  int callsPerWorkerMax() default 1_000;

  @AttributeDefinition(
      name = "Idle time",
      min = "1",
      max = "86400",
      description = "Seconds without a call after which a worker is ended")
  long idleSecondsMax() default 60;

  @AttributeDefinition(
      name = "Start time",
      min = "100",
      max = "120000",
      description = "Milliseconds within which a tool must say that it is ready")
  long startMillisMax() default 5_000;
}
