package org.aionos.config;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.document.InvalidDocument.Fault;

/**
 * The sample tenant's secret is public, so a kernel that has it must not be reachable from
 * elsewhere.
 */
final class LoopbackRule {

  private LoopbackRule() {}

  static void check(Fields root, Map<String, Map<String, Object>> sections) throws InvalidDocument {
    Object sample = sections.getOrDefault("identity", Map.of()).get("sample_tenant");
    String host = String.valueOf(sections.getOrDefault("gateway", Map.of()).get("host"));
    if ("true".equals(String.valueOf(sample)) && !isLoopback(host)) {
      throw new InvalidDocument(
          Fault.INVALID,
          root.at("gateway") + "/host",
          host
              + " is not a loopback address, and identity.sample_tenant is on; its secret is public."
              + " Turn it off, or listen on 127.0.0.1");
    }
  }

  private static boolean isLoopback(String host) {
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException unknown) {
      return false;
    }
  }
}
