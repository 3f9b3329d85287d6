package org.aionos.bench;

import java.io.IOException;
import java.time.Duration;
import org.aionos.bench.Requests.Signature;

/** Drives the kernel alone for some seconds: something to look at it under. */
public final class Load {

  private Load() {}

  /** Takes: port, pid, v1 or v2, seconds, and for an open loop the calls per second. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Target kernel = Target.governed(Integer.parseInt(args[0]), Long.parseLong(args[1]));
    Requests requests = new Requests(args[2].equals("v2") ? Signature.V2 : Signature.V1, 1_000);
    Duration time = Duration.ofSeconds(Long.parseLong(args[3]));
    if (args.length > 4) {
      int perSecond = Integer.parseInt(args[4]);
      System.out.println(new OpenLoop(kernel, requests, 32, perSecond).run(time).latencies());
    } else {
      System.out.println(new ClosedLoop(kernel, requests, 32).run(time));
    }
  }
}
