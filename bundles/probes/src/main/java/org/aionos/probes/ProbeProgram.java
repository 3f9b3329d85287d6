package org.aionos.probes;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;

/**
 * The program that holds the probes: {@code src/main/c/probes.c}, which has its protocol. The
 * probes end with it, and it with its stdin.
 */
final class ProbeProgram implements Counters {

  private static final String RESOURCE = "/probe/aion-probes";
  private static final int LINE_LENGTH_MAX = 4 << 20;

  private final Process process;
  private final OutputStream in;
  private final BufferedReader out;

  private ProbeProgram(Process process) {
    this.process = process;
    this.in = process.getOutputStream();
    this.out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
  }

  /** Writes the program that this bundle carries to a file that its owner alone may run. */
  static Path unpack(Path folder) throws IOException {
    Files.createDirectories(folder);
    Path file = folder.resolve("aion-probes");
    Path part = folder.resolve("aion-probes.part");
    try (InputStream program = ProbeProgram.class.getResourceAsStream(RESOURCE)) {
      if (program == null) {
        throw new IOException(
            "this build carries no probes; bundles/probes/build-probes makes them");
      }
      Files.copy(program, part, StandardCopyOption.REPLACE_EXISTING);
    }
    Files.setPosixFilePermissions(part, PosixFilePermissions.fromString("rwx------"));
    return Files.move(
        part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * Starts it and waits until the probes are in place.
   *
   * @throws IOException if this host does not admit them
   */
  static Counters load(Path program, long slowNanos) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(program.toString(), Long.toString(slowNanos));
    builder.environment().clear();
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    ProbeProgram started = new ProbeProgram(builder.start());
    try {
      Fields answer = started.line();
      if (!Boolean.TRUE.equals(answer.value("ready"))) {
        throw new IOException(answer.text("error", "the probes are not ready"));
      }
      return started;
    } catch (IOException | InvalidDocument failed) {
      started.close();
      throw failed instanceof IOException unavailable
          ? unavailable
          : broken((InvalidDocument) failed);
    }
  }

  @Override
  public boolean watch(long key, Path folder) throws IOException {
    return say("watch " + key + " " + folder).has("watching");
  }

  @Override
  public void unwatch(long key) throws IOException {
    say("unwatch " + key);
  }

  @Override
  public Map<Long, Counts> read() throws IOException {
    Map<Long, Counts> counts = new HashMap<>();
    try {
      for (Fields group : say("read").list("groups")) {
        counts.put(group.wholeNumber("key", 0, 0, Long.MAX_VALUE), Counts.read(group));
      }
      return counts;
    } catch (InvalidDocument malformed) {
      throw broken(malformed);
    }
  }

  private Fields say(String command) throws IOException {
    in.write((command + "\n").getBytes(UTF_8));
    in.flush();
    return line();
  }

  private Fields line() throws IOException {
    String line = out.readLine();
    if (line == null || line.length() > LINE_LENGTH_MAX) {
      throw new IOException("the program of the probes has ended");
    }
    try {
      return Documents.json(line.getBytes(UTF_8));
    } catch (InvalidDocument malformed) {
      throw broken(malformed);
    }
  }

  private static IOException broken(InvalidDocument malformed) {
    return new IOException("the program of the probes speaks nonsense: " + malformed.describe());
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(1, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException now) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
