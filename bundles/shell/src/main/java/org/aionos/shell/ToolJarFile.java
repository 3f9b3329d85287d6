package org.aionos.shell;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ToolInstaller.Plan;
import org.aionos.kernel.ToolInstaller.Signer;
import org.aionos.kernel.ToolInstaller.Verdict;
import org.jspecify.annotations.Nullable;

/** What the tool commands share: reading a jar that is named, and showing what it would change. */
final class ToolJarFile {

  /** What vendors call a signature beside its jar, in the order in which they are looked for. */
  private static final String[] SIGNATURES = {".sigstore.json", ".sig"};

  private ToolJarFile() {}

  static byte[] read(String file) throws IOException {
    return Files.readAllBytes(Path.of(file));
  }

  /** What is a digest already is left as it is. */
  static String digestOrDigestOf(String jar) throws IOException {
    return jar.matches("[0-9a-f]{64}") ? jar : digest(read(jar));
  }

  static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  /** Of the file that is named, or of the one beside the jar; null if there is none. */
  static byte @Nullable [] signature(String jar, String chosen) throws IOException {
    if (!chosen.isEmpty()) {
      return read(chosen);
    }
    for (String suffix : SIGNATURES) {
      Path file = Path.of(jar + suffix);
      if (Files.isRegularFile(file)) {
        return Files.readAllBytes(file);
      }
    }
    return null;
  }

  static void show(Verdict verdict) {
    Plan plan = verdict.plan();
    String before = plan.replaces();
    Signer signer = verdict.signer();
    Problem refusal = verdict.refusal();
    System.out.println("tool         " + plan.name());
    System.out.println("version      " + (before == null ? "" : before + " -> ") + plan.version());
    System.out.println("tier         " + verdict.tier());
    System.out.println(
        "digest       " + plan.digest() + (plan.allowed() ? " (allowed by operator)" : ""));
    if (signer != null) {
      System.out.println("signed by    " + signer.vendor() + ", key " + signer.key());
    } else {
      System.out.println(
          "signed by    nobody" + (refusal == null ? "; allowed by operator" : " who is trusted"));
    }
    plan.capabilitiesAdded().forEach(added -> System.out.println("permission + " + added));
    plan.capabilitiesDropped().forEach(dropped -> System.out.println("permission - " + dropped));
    if (plan.capabilitiesAdded().isEmpty() && plan.capabilitiesDropped().isEmpty()) {
      System.out.println("permission   none more, none less");
    }
    verdict.stops().forEach(bundle -> System.out.println("stops        " + bundle));
    if (before != null) {
      System.out.println("in flight    " + verdict.callsInFlight() + " calls of " + before);
    }
    if (refusal != null) {
      System.out.println("refused      " + refusal.message());
      System.out.println("             rule " + refusal.rule() + "; do: " + refusal.admit());
    }
  }
}
