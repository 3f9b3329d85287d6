package org.aionos.shell;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.aionos.kernel.ToolInstaller.Plan;

/** What the tool commands share: reading a jar that is named, and showing what it would change. */
final class ToolJarFile {

  private ToolJarFile() {}

  static byte[] read(String file) throws IOException {
    return Files.readAllBytes(Path.of(file));
  }

  static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  static void show(Plan plan) {
    String before = plan.replaces();
    System.out.println("tool         " + plan.name());
    System.out.println("version      " + (before == null ? "" : before + " -> ") + plan.version());
    System.out.println(
        "digest       " + plan.digest() + (plan.allowed() ? " (allowed)" : " (NOT allowed)"));
    plan.capabilitiesAdded().forEach(added -> System.out.println("permission + " + added));
    plan.capabilitiesDropped().forEach(dropped -> System.out.println("permission - " + dropped));
  }
}
