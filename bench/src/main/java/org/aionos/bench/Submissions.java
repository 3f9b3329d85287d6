package org.aionos.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Submits tasks, each of an id of its own, at a fixed rate, and says how long each took. */
public final class Submissions implements Source {

  private static final String TARGET = "/v1/schedule/submit";

  private final Mac mac;
  private final String prefix;
  private long count;

  Submissions(String prefix) {
    this.prefix = prefix;
    try {
      mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec("TENANT_A_SECRET".getBytes(US_ASCII), "HmacSHA256"));
    } catch (GeneralSecurityException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  @Override
  public ByteBuffer next() {
    byte[] body =
        ("{\"task_id\":\""
                + prefix
                + count++
                + "\",\"intent\":\"syscall:tool.invoke\",\"agent_id\":"
                + "\"agent://tenantA/researcher-1\",\"priority\":"
                + count % 10
                + ",\"params\":{\"tool\":\"echo\",\"text\":\"The quick brown fox jumps over the lazy"
                + " dog.\"}}")
            .getBytes(US_ASCII);
    byte[] head =
        ("POST "
                + TARGET
                + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                + body.length
                + "\r\nX-Tenant-Id: tenantA\r\nX-Sig-HMAC: "
                + HexFormat.of().formatHex(mac.doFinal(body))
                + "\r\n\r\n")
            .getBytes(US_ASCII);
    return ByteBuffer.allocate(head.length + body.length).put(head).put(body).flip();
  }

  /** Takes: port, pid, prefix of the ids, how many, how many a second. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Target kernel = Target.scheduling(Integer.parseInt(args[0]), Long.parseLong(args[1]));
    int perSecond = Integer.parseInt(args[4]);
    Duration time = Duration.ofMillis(Long.parseLong(args[3]) * 1_000 / perSecond);
    System.out.println(
        new OpenLoop(kernel, new Submissions(args[2]), 32, perSecond).run(time).latencies());
  }
}
