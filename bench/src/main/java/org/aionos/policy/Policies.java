package org.aionos.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.aionos.kernel.Journal;

/** Opens real policies outside of a framework. */
public final class Policies {

  private static final String RULES =
      """
      apiVersion: aion.os/v1
      kind: CapabilityPolicy
      version: "1"
      global:
        allow: [network, filesystem, gpu]
        deny: [subprocess]
        syscalls:
          allow: ["tool.*", "agent.*", "fs.*", "net.fetch", "memory.*", "model.*"]
        tools:
          allow: ["*"]
      tenants:
        tenantA:
          allow: [network, filesystem, gpu]
      """;

  private Policies() {}

  /** The policy of the sample tenant, watched for changes as in the kernel. */
  public static PolicyFile open(Path folder, Journal journal) throws IOException {
    Files.writeString(folder.resolve(PolicyFile.FILE_NAME), RULES);
    Path state = Files.createDirectories(folder.resolve("policy"));
    return new PolicyFile(folder, state, Duration.ofMillis(500), journal, System::nanoTime);
  }

  public static void close(PolicyFile policy) {
    policy.close();
  }
}
