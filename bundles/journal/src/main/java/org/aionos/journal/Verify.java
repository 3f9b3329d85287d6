package org.aionos.journal;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import org.aionos.kernel.JournalReader.Verification;
import org.jspecify.annotations.Nullable;

/**
 * Verifies a journal without a kernel. Only reads, so it may run on a copy, on a read-only file
 * system, or beside a kernel that writes. Needs this bundle's jar and the one of kernel-api.
 */
public final class Verify {

  static final int WHOLE = 0;
  static final int FAULTY = 1;
  static final int BAD_USAGE = 2;

  /** How often to look again for the rest of a record that a kernel may be about to write. */
  private static final int LOOKS = 10;

  /** How often a kernel may delete the oldest segment before it is read. */
  private static final int TRIES = 3;

  private static final String HELP =
      """
      usage: Verify <journal dir> [--public-key FILE]... [--json]

      Reads every record of an AION journal and says whether the chain is whole.
        --public-key FILE  trust this key (X.509 PEM) and not the ones in the directory;
                           may be given more than once
        --json             print one JSON object
      Exit code: 0 the journal is whole, 1 it is not, 2 it could not be looked at.
      """;

  /** The command line, understood. */
  private record Arguments(Path folder, List<Path> publicKeys, boolean json) {}

  private Verify() {}

  public static void main(String[] args) {
    System.exit(run(args, System.out, System.err));
  }

  static int run(String[] args, PrintStream out, PrintStream err) {
    Arguments arguments = parse(args);
    if (arguments == null) {
      err.print(HELP);
      return BAD_USAGE;
    }
    try {
      Verification result = verify(arguments);
      out.println(arguments.json() ? json(result) : text(result));
      return result.whole() ? WHOLE : FAULTY;
    } catch (IOException | GeneralSecurityException unusable) {
      err.println("cannot verify " + arguments.folder() + ": " + unusable.getMessage());
      return BAD_USAGE;
    }
  }

  private static @Nullable Arguments parse(String[] args) {
    List<Path> folders = new ArrayList<>();
    List<Path> keys = new ArrayList<>();
    boolean json = false;
    for (int at = 0; at < args.length; at++) {
      if (args[at].equals("--json")) {
        json = true;
      } else if (args[at].equals("--public-key") && at + 1 < args.length) {
        keys.add(Path.of(args[++at]));
      } else if (args[at].startsWith("-")) {
        return null;
      } else {
        folders.add(Path.of(args[at]));
      }
    }
    return folders.size() == 1 && Files.isDirectory(folders.get(0))
        ? new Arguments(folders.get(0), keys, json)
        : null;
  }

  private static Verification verify(Arguments arguments)
      throws IOException, GeneralSecurityException {
    Path folder = arguments.folder();
    PublicKeys keys =
        arguments.publicKeys().isEmpty()
            ? ChainCheck.keysIn(folder)
            : PublicKeys.of(arguments.publicKeys());
    int triesLeft = TRIES;
    while (true) {
      try {
        return ChainCheck.offline(folder, keys, LOOKS);
      } catch (FileNotFoundException deletedMeanwhile) {
        if (--triesLeft == 0) {
          throw deletedMeanwhile;
        }
      }
    }
  }

  private static String text(Verification result) {
    return """
        entries:     %d, from %d
        head:        %s
        checkpoints: %d
        %s"""
        .formatted(
            result.entries(),
            result.firstSequence(),
            result.head(),
            result.checkpoints(),
            result.whole() ? "whole" : "FAULT: " + result.fault());
  }

  private static String json(Verification result) {
    String fault = result.fault().replace("\\", "\\\\").replace("\"", "\\\"");
    return "{\"whole\":%b,\"entries\":%d,\"first_seq\":%d,\"head\":\"%s\",\"checkpoints\":%d,\"fault\":\"%s\"}"
        .formatted(
            result.whole(),
            result.entries(),
            result.firstSequence(),
            result.head(),
            result.checkpoints(),
            fault);
  }
}
