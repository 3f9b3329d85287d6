package org.aionos.sandbox;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The numbers of Linux's system calls on x86_64. */
final class SystemCalls {

  private static final String TABLE = "syscalls_x86_64.tsv";

  private static final Map<String, Integer> NUMBERS = read();

  private SystemCalls() {}

  /** The number of a call; null for one that this architecture does not have. */
  static @Nullable Integer number(String name) {
    return NUMBERS.get(name);
  }

  private static Map<String, Integer> read() {
    Map<String, Integer> numbers = new HashMap<>();
    try (InputStream in = SystemCalls.class.getResourceAsStream(TABLE)) {
      if (in == null) {
        throw new IllegalStateException("the bundle has no " + TABLE);
      }
      for (String line : new String(in.readAllBytes(), US_ASCII).split("\n")) {
        int tab = line.indexOf('\t');
        numbers.put(line.substring(0, tab), Integer.valueOf(line.substring(tab + 1).strip()));
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    }
    return Map.copyOf(numbers);
  }
}
