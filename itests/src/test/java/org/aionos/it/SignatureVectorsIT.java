package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.TestFactory;

/** The signatures of these tests are those of the contract, so what the kernel takes is it too. */
@Order(1)
class SignatureVectorsIT {

  @TestFactory
  List<DynamicTest> signs_as_the_conformance_vectors_say() throws IOException {
    JsonNode vectors =
        RunningKernel.JSON.readTree(
            RunningKernel.readBytes(RunningKernel.ROOT.resolve("sdk/conformance/signatures.json")));
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode vector : vectors.get("cases")) {
      tests.add(DynamicTest.dynamicTest(vector.get("name").asText(), () -> check(vector)));
    }
    assertThat(tests).hasSizeGreaterThan(10);
    return tests;
  }

  private static void check(JsonNode vector) {
    String secret = vector.get("secret").asText();
    byte[] body = vector.get("body").asText().getBytes(UTF_8);
    String signature = vector.get("signature").asText();
    if (vector.get("version").asInt() == 1) {
      assertThat(Signer.hmac(secret, body)).isEqualTo(signature);
      return;
    }
    String canonical =
        Signer.canonical(
            vector.get("method").asText(),
            vector.get("target").asText(),
            vector.get("tenant").asText(),
            vector.get("key_id").asText(),
            vector.get("timestamp").asText(),
            vector.get("nonce").asText(),
            body);
    assertThat(canonical).isEqualTo(vector.get("canonical").asText());
    assertThat(Signer.hmac(secret, canonical.getBytes(UTF_8))).isEqualTo(signature);
  }
}
