package org.aionos.scheduler;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.WholeFile;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.AgentProcess;
import org.aionos.kernel.Code;
import org.aionos.kernel.ManifestTrust;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.task.AgentLauncher;
import org.jspecify.annotations.Nullable;

/**
 * Which programs may be run as agents. An agent's code lies beside its manifest, in {@code
 * config/agents/<tenant>/<agent>/}. It runs if a vendor has signed the manifest and the manifest
 * names the digest of the code, or if an operator has approved the digest of both. Whoever changes
 * either has to be believed anew.
 */
final class Programs {

  private static final int FILES_MAX = 10_000;
  private static final long BYTES_MAX = 256L << 20;
  private static final int APPROVALS_MAX = 100_000;
  private static final String APPROVALS = "approved-entries.json";

  private final Path agents;
  private final Path approvalsFile;
  private final ManifestTrust trust;

  /** Agent to digest. Guarded by this. */
  private final Map<String, String> approved = new TreeMap<>();

  /**
   * What is to be run.
   *
   * @param digest of manifest and code
   * @param codeDigest of the code alone
   */
  record Program(
      List<String> command, AgentLauncher.Folder code, String digest, String codeDigest) {}

  /**
   * @param agents the folder that holds {@code <tenant>/<agent>.yml}
   * @param state of the scheduler alone
   */
  Programs(Path agents, Path state, ManifestTrust trust) {
    this.agents = agents;
    this.approvalsFile = state.resolve(APPROVALS);
    this.trust = trust;
    try {
      Fields read = Documents.json(Files.readAllBytes(approvalsFile));
      for (String agent : read.names()) {
        approved.put(agent, read.text(agent));
      }
    } catch (NoSuchFileException firstTime) {
      return;
    } catch (IOException unreadable) {
      throw new UncheckedIOException(unreadable);
    } catch (InvalidDocument damaged) {
      throw new IllegalStateException(approvalsFile + " is damaged", damaged);
    }
  }

  /**
   * The program of an agent, if it may be run.
   *
   * @throws Refused {@code APPROVAL_REQUIRED} with the digest to approve, {@code NOT_FOUND} if
   *     there is no code
   */
  Program of(AgentProcess row) {
    Manifest manifest = Manifest.of(row);
    String entry = manifest.entry();
    if (entry == null) {
      throw new Refused(Code.NOT_FOUND, "the manifest of " + row.id() + " names no entry");
    }
    Program program = found(row, entry);
    if (!isSigned(row, manifest, program) && !isApproved(row.id(), program.digest())) {
      throw new Refused(
          Problem.of(
                  Code.APPROVAL_REQUIRED,
                  "nobody has vouched for the program of " + row.id() + " as it is now")
              .ruledBy("entry:" + program.digest())
              .admittedBy(
                  "an operator runs aion:agent-approve-entry "
                      + row.id()
                      + " "
                      + program.digest()
                      + ", or a vendor signs its agent.yml with code: "
                      + program.codeDigest()));
    }
    return program;
  }

  private Program found(AgentProcess row, String entry) {
    Path code = agents.resolve(row.id().tenant()).resolve(row.id().name());
    String codeDigest = codeDigest(row.id(), code);
    return new Program(
        command(entry),
        new CodeFolder(code, codeDigest),
        hex(sha256(Documents.write(sorted(row.manifest())), codeDigest.getBytes(UTF_8))),
        codeDigest);
  }

  private static Map<String, @Nullable Object> sorted(Map<String, @Nullable Object> manifest) {
    return Map.of("manifest", CallLog.digest("agent.yml", manifest));
  }

  /** A Python that the host may call otherwise is the host's python3. */
  private static List<String> command(String entry) {
    List<String> words = Manifest.words(entry);
    if (words.isEmpty()) {
      throw new Refused(Code.NOT_FOUND, "the entry of the manifest is empty");
    }
    if (words.get(0).equals("python")) {
      words.set(0, "python3");
    }
    if (!words.get(0).contains("/")) {
      words.set(0, "/usr/bin/" + words.get(0));
    }
    return words;
  }

  private boolean isSigned(AgentProcess row, Manifest manifest, Program program) {
    if (!program.codeDigest().equals(manifest.code())) {
      return false;
    }
    Path file = agents.resolve(row.id().tenant()).resolve(row.id().name() + ".yml");
    Path signature = file.resolveSibling(file.getFileName() + ".sigstore.json");
    try {
      byte[] bytes = Files.readAllBytes(file);
      trust.verify(bytes, Files.readAllBytes(signature));
      return CallLog.digest("agent.yml", Documents.yaml(bytes).values())
          .equals(CallLog.digest("agent.yml", row.manifest()));
    } catch (IOException | InvalidDocument | Refused notSigned) {
      return false;
    }
  }

  private synchronized boolean isApproved(AgentId agent, String digest) {
    return digest.equals(approved.get(agent.toString()));
  }

  /**
   * @throws Refused {@code CONFLICT} if the program of an agent has another digest
   */
  void requireDigest(AgentProcess row, String digest) {
    String entry = Manifest.of(row).entry();
    if (entry == null) {
      throw new Refused(Code.NOT_FOUND, "the manifest of " + row.id() + " names no entry");
    }
    Program program = found(row, entry);
    if (!program.digest().equals(digest)) {
      throw new Refused(
          Code.CONFLICT,
          "the program of "
              + row.id()
              + " has the digest "
              + program.digest()
              + "; look at it, then approve that");
    }
  }

  /** An operator vouches for an agent's program. */
  void approve(AgentProcess row, String digest) {
    synchronized (this) {
      if (approved.size() >= APPROVALS_MAX) {
        throw new Refused(Code.BUDGET_EXHAUSTED, "too many programs are approved");
      }
      String before = approved.put(row.id().toString(), digest);
      try {
        WholeFile.write(approvalsFile, Documents.write(new LinkedHashMap<>(approved)));
      } catch (IOException unwritten) {
        if (before == null) {
          approved.remove(row.id().toString());
        } else {
          approved.put(row.id().toString(), before);
        }
        throw new UncheckedIOException(unwritten);
      }
    }
  }

  // --- digests --------------------------------------------------------------------------------

  private static String codeDigest(AgentId agent, Path code) {
    if (!Files.isDirectory(code)) {
      throw new Refused(
          Problem.of(Code.NOT_FOUND, "there is no code for " + agent)
              .admittedBy("its files lie in config/agents/" + agent.tenant() + "/" + agent.name()));
    }
    try {
      return "sha256:" + hex(digestOf(code));
    } catch (IOException unreadable) {
      throw new Refused(
          Code.NOT_FOUND, "the code of " + agent + " cannot be read: " + unreadable.getMessage());
    }
  }

  /**
   * The digest of a folder: of each file, in order, its path, a zero byte, its SHA-256, and a line
   * feed. What Python compiles and what is hidden is not of the code.
   */
  static byte[] digestOf(Path folder) throws IOException {
    Map<String, Path> files = new TreeMap<>();
    long[] bytes = {0};
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path at, BasicFileAttributes attributes) {
            return at.equals(folder) || isCode(at)
                ? FileVisitResult.CONTINUE
                : FileVisitResult.SKIP_SUBTREE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
              throws IOException {
            if (!attributes.isRegularFile()) {
              throw new IOException(folder.relativize(file) + " is neither a file nor a folder");
            }
            if (isCode(file)) {
              bytes[0] += attributes.size();
              files.put(folder.relativize(file).toString(), file);
            }
            if (files.size() > FILES_MAX || bytes[0] > BYTES_MAX) {
              throw new IOException(
                  "more than " + FILES_MAX + " files or " + BYTES_MAX + " bytes are too many");
            }
            return FileVisitResult.CONTINUE;
          }
        });
    MessageDigest whole = sha256();
    for (Map.Entry<String, Path> file : files.entrySet()) {
      whole.update(file.getKey().getBytes(UTF_8));
      whole.update((byte) 0);
      whole.update(sha256().digest(Files.readAllBytes(file.getValue())));
      whole.update((byte) '\n');
    }
    return whole.digest();
  }

  static boolean isCode(Path path) {
    String name = String.valueOf(path.getFileName());
    return !name.startsWith(".") && !name.equals("__pycache__");
  }

  private static byte[] sha256(byte[] first, byte[] second) {
    MessageDigest digest = sha256();
    digest.update(first);
    return digest.digest(second);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException everyJdkHasIt) {
      throw new IllegalStateException(everyJdkHasIt);
    }
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
