package org.aionos.scheduling;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** Decisions with 100,000 jobs waiting; the longest as well as the usual. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 3)
@Fork(
    value = 1,
    jvmArgsAppend = {"-XX:+UseSerialGC", "-Xms512m", "-Xmx512m"})
public class ScheduleBenchmark {

  @Param({"8", "64"})
  private int slots = 8;

  private Backlog backlog = new Backlog(slots);

  /** Fills the queues. */
  @Setup
  public void fill() {
    backlog = new Backlog(slots);
  }

  /** A job ends, another is submitted, one starts, and the time of the next decision is asked. */
  @Benchmark
  public List<Action> step() {
    return backlog.step();
  }

  /** A decision that finds nothing to do. */
  @Benchmark
  public List<Action> idle() {
    return backlog.idle();
  }
}
