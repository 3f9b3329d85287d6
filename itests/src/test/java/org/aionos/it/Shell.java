package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs a program to its end. Its output goes through a file, so none can block. */
record Shell(int exit, String output) {

  static Shell run(
      Path folder, Map<String, String> environment, Duration timeout, List<String> command) {
    try {
      File output = Files.createTempFile("it-", ".out").toFile();
      try {
        ProcessBuilder builder =
            new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output)
                .redirectInput(new File("/dev/null"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
        if (!ended) {
          process.destroyForcibly();
        }
        String text = Files.readString(output.toPath(), UTF_8);
        if (!ended) {
          throw new AssertionError("not within " + timeout + ": " + command + "\n" + text);
        }
        return new Shell(process.exitValue(), text);
      } finally {
        Files.delete(output.toPath());
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", interrupted);
    }
  }

  Shell expectSuccess() {
    if (exit != 0) {
      throw new AssertionError("exit " + exit + ": " + output);
    }
    return this;
  }
}
