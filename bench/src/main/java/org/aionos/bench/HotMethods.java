package org.aionos.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordedStackTrace;
import jdk.jfr.consumer.RecordingFile;

/**
 * Sums up a flight recording: where the processor was, what was allocated, where threads waited.
 */
public final class HotMethods {

  private static final int ROWS_MAX = 30;

  private final Map<String, Double> running = new HashMap<>();
  private final Map<String, Double> below = new HashMap<>();
  private final Map<String, Double> allocatedAt = new HashMap<>();
  private final Map<String, Double> allocated = new HashMap<>();
  private final Map<String, Double> waited = new HashMap<>();
  private final Map<String, Double> pauses = new HashMap<>();

  private HotMethods() {}

  /** Takes: the recording. */
  public static void main(String[] args) throws IOException {
    HotMethods methods = new HotMethods();
    try (RecordingFile recording = new RecordingFile(Path.of(args[0]))) {
      while (recording.hasMoreEvents()) {
        methods.count(recording.readEvent());
      }
    }
    print("samples with this method on top", methods.running);
    print("samples with this method of the kernel anywhere", methods.below);
    print("bytes sampled by type", methods.allocated);
    print("bytes sampled by the kernel method or server method nearest", methods.allocatedAt);
    print("milliseconds waited, by what for", methods.waited);
    print("milliseconds of garbage collection", methods.pauses);
  }

  private void count(RecordedEvent event) {
    List<String> frames = frames(event.getStackTrace());
    switch (event.getEventType().getName()) {
      case "jdk.ExecutionSample", "jdk.NativeMethodSample" -> {
        if (isServing(event) && !frames.isEmpty()) {
          add(running, frames.get(0), 1);
          Set<String> seen = new HashSet<>(frames);
          seen.stream().filter(HotMethods::isOfKernel).forEach(frame -> add(below, frame, 1));
        }
      }
      case "jdk.ObjectAllocationSample" -> {
        double weight = event.getLong("weight");
        add(allocated, event.getClass("objectClass").getName(), weight);
        add(allocatedAt, nearest(frames), weight);
      }
      case "jdk.JavaMonitorEnter", "jdk.ThreadPark", "jdk.SocketWrite", "jdk.FileWrite" -> {
        if (!frames.isEmpty()) {
          String what = event.getEventType().getLabel() + " " + nearest(frames);
          add(waited, what, event.getDuration().toNanos() / 1e6);
        }
      }
      case "jdk.GarbageCollection" ->
          add(
              pauses,
              event.getString("name") + " " + event.getString("cause"),
              event.getDuration("sumOfPauses").toNanos() / 1e6);
      default -> {}
    }
  }

  /** Samples of threads that wait inside a native method are not work. */
  private static boolean isServing(RecordedEvent event) {
    RecordedStackTrace stack = event.getStackTrace();
    if (stack == null || stack.getFrames().isEmpty()) {
      return false;
    }
    String top = name(stack.getFrames().get(0));
    return !top.endsWith("EPoll.wait") && !top.endsWith("Net.accept");
  }

  private static List<String> frames(RecordedStackTrace stack) {
    List<String> frames = new ArrayList<>();
    if (stack != null) {
      stack.getFrames().forEach(frame -> frames.add(name(frame)));
    }
    return frames;
  }

  private static String name(RecordedFrame frame) {
    return frame.getMethod().getType().getName() + "." + frame.getMethod().getName();
  }

  private static boolean isOfKernel(String frame) {
    return frame.startsWith("org.aionos.");
  }

  private static String nearest(List<String> frames) {
    for (String frame : frames) {
      if (isOfKernel(frame) || frame.startsWith("org.eclipse.jetty.")) {
        return frame;
      }
    }
    return frames.isEmpty() ? "?" : frames.get(0);
  }

  private static void add(Map<String, Double> sums, String name, double amount) {
    sums.merge(name, amount, Double::sum);
  }

  private static void print(String title, Map<String, Double> sums) {
    double total = sums.values().stream().mapToDouble(Double::doubleValue).sum();
    System.out.printf("%n== %s (in all %,.0f)%n", title, total);
    sums.entrySet().stream()
        .sorted(Map.Entry.<String, Double>comparingByValue().reversed())
        .limit(ROWS_MAX)
        .forEach(
            row ->
                System.out.printf(
                    "%5.1f%% %,14.0f  %s%n",
                    100 * row.getValue() / total, row.getValue(), row.getKey()));
  }
}
