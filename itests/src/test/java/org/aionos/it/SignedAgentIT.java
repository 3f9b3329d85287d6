package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.aionos.it.RunningKernel.RESEARCHER;
import static org.aionos.it.RunningKernel.RESEARCHER_V2;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** Where signatures are required, an agent's file needs one, as a tool does. */
@Order(13)
class SignedAgentIT {

  @Test
  void a_file_is_registered_once_a_vendor_who_may_has_signed_it() throws IOException {
    try (RunningKernel kernel =
        RunningKernel.named("signedagent")
            .bare()
            .with("AION_TRUST_REQUIRE_SIGNATURE", "true")
            .start()) {
      Path file = kernel.data().resolve("config/agents/tenantA/researcher-1.yml");
      kernel.awaitLog("why=trust/unsigned");
      assertThat(agents(kernel)).doesNotContain(RESEARCHER);

      ToolVendor vendor = new ToolVendor("acme");
      trust(kernel, vendor, "tools: [\"*\"]");
      vendor.signAgent(file);
      kernel.awaitLog("why=trust/out-of-prefix");
      assertThat(agents(kernel)).doesNotContain(RESEARCHER);

      trust(kernel, vendor, "agents: [researcher]");
      vendor.signAgent(file);
      Await.until(
          "it is registered", Duration.ofSeconds(30), () -> agents(kernel).contains(RESEARCHER));

      Files.writeString(file, Files.readString(file).replace("gpu: true", "gpu: false"), UTF_8);
      kernel.awaitLog("why=trust/tampered");
    }
  }

  private static String agents(RunningKernel kernel) {
    return kernel.call(RESEARCHER_V2, "GET", "/v1/agents").expect(200).text();
  }

  private static void trust(RunningKernel kernel, ToolVendor vendor, String grants)
      throws IOException {
    Files.writeString(
        kernel.data().resolve("config/trust/vendors/" + vendor.name + ".yaml"),
        vendor.yaml("", grants),
        UTF_8);
  }
}
