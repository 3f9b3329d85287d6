package org.aionos.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import org.aionos.kernel.Journal;
import org.aionos.kernel.JournalReader;
import org.aionos.kernel.Meters;
import org.aionos.kernel.ProcessTable;
import org.aionos.kernel.ToolCatalog;
import org.jspecify.annotations.Nullable;

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

  /** No dry run is made here. */
  private static final class Nobody implements Neighbours {
    @Override
    public @Nullable JournalReader journal() {
      return null;
    }

    @Override
    public @Nullable ProcessTable processes() {
      return null;
    }

    @Override
    public @Nullable ToolCatalog tools() {
      return null;
    }
  }

  /** The policy of the sample tenant, watched for changes as in the kernel. */
  public static VersionedPolicy open(Path folder, Journal journal, Meters meters) throws IOException {
    Files.writeString(folder.resolve(VersionedPolicy.FILE_NAME), RULES);
    Path state = Files.createDirectories(folder.resolve("policy"));
    return new VersionedPolicy(
        folder,
        state,
        Duration.ofMillis(500),
        new Disk(operation -> {}),
        journal,
        meters,
        new Nobody(),
        InstantSource.system(),
        System::nanoTime,
        new SecureRandom());
  }

  public static void close(VersionedPolicy policy) {
    policy.close();
  }
}
