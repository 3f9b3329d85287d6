package org.aionos.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.net.InetSocketAddress;
import java.time.Duration;

/**
 * A server under measurement.
 *
 * @param goodBegins how the body of a good answer begins
 */
record Target(String name, InetSocketAddress address, ProcessHandle process, byte[] goodBegins) {

  /** The kernel: an answer is good if the syscall was carried out. */
  static Target governed(int port, long pid) {
    return new Target("governed", local(port), process(pid), bytes("{\"status\":\"ok\""));
  }

  /** The kernel: an answer is good if the task was taken. */
  static Target scheduling(int port, long pid) {
    return new Target(
        "submit", local(port), process(pid), bytes("{\"status\":\"ok\",\"created\":true"));
  }

  /** The baseline: an answer is good if it is the request. */
  static Target bare(int port, long pid) {
    return new Target("bare", local(port), process(pid), bytes("{\"schema\":\"aion.syscall.v1\""));
  }

  /** Processor time that the server has used up since it began. */
  Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  private static InetSocketAddress local(int port) {
    return new InetSocketAddress("127.0.0.1", port);
  }

  private static ProcessHandle process(long pid) {
    return ProcessHandle.of(pid)
        .orElseThrow(() -> new IllegalArgumentException("no process " + pid));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }
}
