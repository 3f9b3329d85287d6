package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.aionos.dialogue.Dialogue;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One running tool, and the conversation with it: a line of JSON each way. See
 * docs/process-tools.md.
 *
 * <p>One caller at a time. Two threads beside it carry what the tool writes to stdout and stderr,
 * and a third what we write to it: a tool that does not read, or writes without end, must not hold
 * up a thread that has a deadline to keep.
 */
final class Worker {

  private static final Logger log = LoggerFactory.getLogger(Worker.class);

  /** Lines a tool may be ahead of us, which none has reason to be; beyond them it waits. */
  private static final int LINES_MAX = 2;

  /** More than the router would pass on of any result. */
  private static final int LINE_BYTES_MAX = (4 << 20) + (64 << 10);

  /** What a tool gets to say, or read, a large message that it has begun with. */
  private static final Duration LARGE_MESSAGE_MAX = Duration.ofSeconds(5);

  /** What is kept of stderr, of each call, for the log. */
  private static final int STDERR_BYTES_MAX = 64 << 10;

  /** What a program that closed its stdout gets to say why, by its exit status. */
  private static final Duration ENDING_MAX = Duration.ofSeconds(1);

  private static final int SIGNAL = 128;
  private static final int BAD_SYSTEM_CALL = SIGNAL + 31;

  /** A line of stdout; null at its end. */
  private record Line(byte @Nullable [] bytes) {}

  private final Program program;
  private final Cage cage;
  private final ExecutorService threads;
  private final LongSupplier nanoClock;
  private final Room room;
  private final BlockingQueue<Line> lines = new ArrayBlockingQueue<>(LINES_MAX);
  private final AtomicLong outputBytesLeft;
  private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();
  private final Future<?> outReader;
  private final Future<?> errReader;
  private volatile boolean outputTooLong;
  private volatile boolean ended;
  private Future<?> writing = CompletableFuture.completedFuture(null);
  private int processesWhenReady;
  private int calls;
  private boolean fit;

  private Worker(
      Program program, Cage cage, Room room, ExecutorService threads, LongSupplier nanoClock) {
    this.program = program;
    this.room = room;
    this.cage = cage;
    this.threads = threads;
    this.nanoClock = nanoClock;
    this.outputBytesLeft = new AtomicLong(program.limits().outputBytesMax());
    this.outReader = threads.submit(this::readOut);
    this.errReader = threads.submit(this::readErr);
  }

  /**
   * Waits until a tool that was just started says that it is ready.
   *
   * @throws Refused if it does not, and nothing of it is left then
   * @throws InterruptedException likewise
   */
  static Worker ready(
      Program program,
      Cage cage,
      Room room,
      Duration startMax,
      ExecutorService threads,
      LongSupplier nanoClock)
      throws InterruptedException {
    Worker worker = new Worker(program, cage, room, threads, nanoClock);
    try {
      worker.awaitReady(startMax);
      return worker;
    } finally {
      if (!worker.fit) {
        worker.end(Duration.ZERO);
      }
    }
  }

  private void awaitReady(Duration startMax) throws InterruptedException {
    Line line = lines.poll(startMax.toNanos(), TimeUnit.NANOSECONDS);
    if (line == null) {
      throw new Refused(
          Code.TOOL_FAULT,
          "the tool " + program.tool() + " was not ready within " + startMax.toMillis() + " ms");
    }
    if (line.bytes == null) {
      throw ended("before it was ready");
    }
    Fields message = parsed(line.bytes);
    if (!Boolean.TRUE.equals(message.value("ready"))) {
      throw fault("its first line is not {\"ready\":true}");
    }
    processesWhenReady = cage.processes();
    fit = true;
  }

  Program program() {
    return program;
  }

  /** The folder of its cgroup of version 2; null if there is none. */
  @Nullable Path unified() {
    return cage.unified();
  }

  /**
   * Performs one call. Afterwards {@link #fit} says whether there can be another.
   *
   * @throws Refused with the reason why the tool gave no answer
   * @throws InterruptedException if the caller is interrupted; the tool still runs then
   */
  ToolResult call(ToolCall call, Effects effects) throws ToolFailure, InterruptedException {
    fit = false;
    calls++;
    long end = nanoClock.getAsLong() + program.limits().wallMax().toNanos();
    outputBytesLeft.set(program.limits().outputBytesMax());
    try {
      send(Dialogue.call(call), end);
      while (true) {
        Line line = lines.poll(end - nanoClock.getAsLong(), TimeUnit.NANOSECONDS);
        if (line == null) {
          throw new Refused(
              Code.TIMED_OUT,
              "the tool "
                  + program.tool()
                  + " took longer than its profile admits, "
                  + program.limits().wallMax().toMillis()
                  + " ms");
        }
        if (line.bytes == null) {
          throw ended("in a call");
        }
        Fields message = parsed(line.bytes);
        if (!message.has("effect")) {
          return answer(message);
        }
        // The answer may be as large as a file, and stays in memory until the tool has read it.
        room.enter();
        send(performed(message, effects), end);
        awaitSent(end);
        room.leave();
      }
    } finally {
      room.leave();
      logStderr(call.id());
    }
  }

  private ToolResult answer(Fields message) throws ToolFailure {
    try {
      ToolResult result = Dialogue.answer(message);
      fit = isQuiet();
      return result;
    } catch (ToolFailure failure) {
      fit = isQuiet();
      throw failure;
    } catch (InvalidDocument invalid) {
      throw fault(invalid.describe());
    }
  }

  private byte[] performed(Fields message, Effects effects) throws InterruptedException {
    Map<String, @Nullable Object> answer = new LinkedHashMap<>();
    try {
      answer.put("effect_result", message.wholeNumber("id", 0, 0, Long.MAX_VALUE));
      answer.putAll(Dialogue.effect(message, effects));
    } catch (InvalidDocument invalid) {
      throw fault(invalid.describe());
    }
    return Documents.write(answer);
  }

  /** Whether there can be another call. A worker that has been in any doubt is not fit. */
  boolean fit(int callsMax) {
    return fit && calls < callsMax && lines.isEmpty() && !room.isHeld();
  }

  /** Ends a tool that holds up the others with a large message that it does not say, or read. */
  void killIfItHoldsUpOthers() {
    if (room.isHeldFor(LARGE_MESSAGE_MAX)) {
      log.warn("tool holds up others: tool={}", program.tool());
      cage.kill();
    }
  }

  /** Whether the tool has left nothing behind but itself: no line, no process, no strain. */
  private boolean isQuiet() {
    return lines.isEmpty() && cage.processes() <= processesWhenReady && !cage.outOfMemory();
  }

  private Fields parsed(byte[] line) {
    try {
      return Documents.json(line);
    } catch (InvalidDocument invalid) {
      throw fault(invalid.describe());
    }
  }

  private Refused fault(String why) {
    log.warn("tool broke its protocol: tool={} why={}", program.tool(), Printable.of(why));
    return new Refused(
        Code.TOOL_FAULT, "a fault of the tool " + program.tool() + "; see the kernel's log");
  }

  private Refused ended(String when) {
    Cage.Ending ending = end(ENDING_MAX);
    String tool = "the tool " + program.tool();
    log.warn(
        "tool ended: tool={} when={} exit={} out_of_memory={} output_too_long={}",
        program.tool(),
        when,
        ending.exit(),
        ending.outOfMemory(),
        outputTooLong);
    if (outputTooLong) {
      return new Refused(
          Code.TOOL_OUTPUT_LIMIT,
          tool
              + " wrote more than "
              + program.limits().outputBytesMax()
              + " bytes, or a line of more than "
              + LINE_BYTES_MAX);
    }
    if (ending.outOfMemory()) {
      return new Refused(
          Code.TOOL_OUT_OF_MEMORY,
          tool + " needed more than " + program.limits().memoryBytesMax() + " bytes of memory");
    }
    return switch (ending.exit()) {
      case BAD_SYSTEM_CALL ->
          new Refused(Code.TOOL_FORBIDDEN_CALL, tool + " made a system call it may not make");
      case LaunchedCages.EXIT_NOT_LAUNCHED ->
          new Refused(
              Code.TIER_UNAVAILABLE,
              tool + " could not be put into its group; ./aion doctor says what this host lacks");
      default -> new Refused(Code.TOOL_CRASHED, tool + " ended " + when + how(ending.exit()));
    };
  }

  private static String how(int exit) {
    return exit > SIGNAL ? ", by signal " + (exit - SIGNAL) : ", with status " + exit;
  }

  /** Ends the tool at once; whoever waits for its answer is told that it ended. */
  void kill() {
    cage.kill();
  }

  /** Ends the tool. When this returns, nothing of it is left. */
  Cage.Ending end(Duration patience) {
    fit = false;
    ended = true;
    Cage.Ending ending = cage.end(patience);
    room.close();
    writing.cancel(true);
    outReader.cancel(true);
    errReader.cancel(true);
    return ending;
  }

  // --- pipes ----------------------------------------------------------------------------------

  private void send(byte[] json, long endNanos) throws InterruptedException {
    try {
      // A tool that asks before it has read the last answer waits here, not on the request's
      // thread.
      writing.get(endNanos - nanoClock.getAsLong(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException | TimeoutException broken) {
      // The tool has closed its stdin or ended, or does not read; stdout, or the clock, tells
      // which.
      return;
    }
    writing =
        threads.submit(
            () -> {
              cage.in().write(json);
              cage.in().write('\n');
              cage.in().flush();
              return null;
            });
  }

  /** Whether the tool has taken what was sent. If it has not, stdout, or the clock, tells why. */
  private boolean awaitSent(long endNanos) throws InterruptedException {
    try {
      writing.get(endNanos - nanoClock.getAsLong(), TimeUnit.NANOSECONDS);
      return true;
    } catch (ExecutionException | TimeoutException broken) {
      return false;
    }
  }

  private void readOut() {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    byte[] buffer = new byte[8 << 10];
    try (InputStream out = cage.out()) {
      for (int read = out.read(buffer); read >= 0; read = out.read(buffer)) {
        if (isTooLong(read)) {
          break;
        }
        int start = 0;
        for (int i = 0; i < read; i++) {
          if (buffer[i] == '\n') {
            line.write(buffer, start, i - start);
            put(new Line(line.toByteArray()));
            line.reset();
            start = i + 1;
          }
        }
        line.write(buffer, start, read - start);
        if (line.size() > LINE_BYTES_MAX) {
          outputTooLong = true;
          cage.kill();
          break;
        }
        if (line.size() > Room.SMALL_BYTES) {
          room.enter();
        }
      }
    } catch (IOException closed) {
      log.trace("stdout of a tool was closed: tool={}", program.tool(), closed);
    } catch (InterruptedException weAreEnded) {
      Thread.currentThread().interrupt();
      return;
    }
    put(new Line(null));
  }

  private void readErr() {
    byte[] buffer = new byte[8 << 10];
    try (InputStream err = cage.err()) {
      for (int read = err.read(buffer); read >= 0; read = err.read(buffer)) {
        if (isTooLong(read)) {
          return;
        }
        synchronized (stderr) {
          stderr.write(buffer, 0, Math.min(read, STDERR_BYTES_MAX - stderr.size()));
        }
      }
    } catch (IOException closed) {
      log.trace("stderr of a tool was closed: tool={}", program.tool(), closed);
    }
  }

  private boolean isTooLong(int read) {
    if (outputBytesLeft.addAndGet(-read) >= 0) {
      return false;
    }
    outputTooLong = true;
    cage.kill();
    return true;
  }

  private void put(Line line) {
    try {
      while (!ended && !lines.offer(line, 100, TimeUnit.MILLISECONDS)) {
        // Nobody takes lines between calls, so the tool waits until somebody does, or it is ended.
        continue;
      }
    } catch (InterruptedException weAreEnded) {
      Thread.currentThread().interrupt();
    }
  }

  private void logStderr(String auditId) {
    byte[] said;
    synchronized (stderr) {
      said = stderr.toByteArray();
      stderr.reset();
    }
    if (said.length > 0 && log.isDebugEnabled()) {
      log.debug(
          "tool wrote to stderr: tool={} audit={} text={}",
          program.tool(),
          auditId,
          Printable.of(new String(said, UTF_8)));
    }
  }
}
