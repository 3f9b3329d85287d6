package org.aionos.sandbox;

import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.aionos.sandbox.SeccompProfile.Comparison;
import org.aionos.sandbox.SeccompProfile.Operator;
import org.aionos.sandbox.SeccompProfile.Rule;

/** Another compiler of seccomp filters, the one that OCI runtimes use. */
final class Libseccomp {

  /** {@code enum scmp_compare}, in order, from 1. */
  private static final List<Operator> OPERATORS =
      List.of(
          Operator.NE,
          Operator.LT,
          Operator.LE,
          Operator.EQ,
          Operator.GE,
          Operator.GT,
          Operator.MASKED_EQ);

  private static final int COMPARISON_BYTES = 24;

  interface Functions extends Library {
    Pointer seccomp_init(int action);

    int seccomp_rule_add_array(Pointer filter, int action, int call, int count, Pointer arguments);

    int seccomp_export_bpf(Pointer filter, int file);

    void seccomp_release(Pointer filter);
  }

  interface Files32 extends Library {
    int creat(String path, int mode);

    int close(int file);
  }

  private final Functions functions;
  private final Files32 files;

  private Libseccomp(Functions functions, Files32 files) {
    this.functions = functions;
    this.files = files;
  }

  static Optional<Libseccomp> find() {
    try {
      return Optional.of(
          new Libseccomp(
              Native.load("libseccomp.so.2", Functions.class), Native.load("c", Files32.class)));
    } catch (UnsatisfiedLinkError absent) {
      return Optional.empty();
    }
  }

  byte[] filter(SeccompProfile profile) throws IOException {
    Path file = Files.createTempFile("libseccomp", ".bpf");
    Pointer filter = functions.seccomp_init(libraryAction(profile.otherwise()));
    try {
      for (Rule rule : profile.rules()) {
        for (String name : rule.names()) {
          Integer number = SystemCalls.number(name);
          if (number != null && rule.action() != profile.otherwise()) {
            add(filter, rule, number);
          }
        }
      }
      int descriptor = files.creat(file.toString(), 0600);
      succeeded(functions.seccomp_export_bpf(filter, descriptor));
      files.close(descriptor);
      return Files.readAllBytes(file);
    } finally {
      functions.seccomp_release(filter);
      Files.delete(file);
    }
  }

  private void add(Pointer filter, Rule rule, int number) {
    int count = rule.arguments().size();
    Memory arguments = new Memory(Math.max(1, count) * (long) COMPARISON_BYTES);
    for (int i = 0; i < count; i++) {
      Comparison each = rule.arguments().get(i);
      long at = i * (long) COMPARISON_BYTES;
      arguments.setInt(at, each.index());
      arguments.setInt(at + 4, OPERATORS.indexOf(each.operator()) + 1);
      arguments.setLong(at + 8, each.value());
      arguments.setLong(at + 16, each.valueTwo());
    }
    succeeded(
        functions.seccomp_rule_add_array(
            filter, libraryAction(rule.action()), number, count, arguments));
  }

  /** The library's constants are the kernel's, as it happens. */
  private static int libraryAction(int action) {
    return action;
  }

  private static void succeeded(int result) {
    if (result != 0) {
      throw new AssertionError("libseccomp says " + result);
    }
  }
}
