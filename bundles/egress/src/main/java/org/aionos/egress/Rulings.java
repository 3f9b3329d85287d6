package org.aionos.egress;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.files.FolderWatch;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Refused;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The rules and secrets in force, from {@code config/egress.yaml} and {@code config/secrets.yaml}.
 * Each is read whole or not at all; what is no good keeps the last good one, and at the start
 * nothing. No file, no rule.
 */
final class Rulings implements AutoCloseable {

  private static final Logger log = LoggerFactory.getLogger(Rulings.class);

  private static final String RULES = "egress.yaml";
  private static final String SECRETS = "secrets.yaml";

  private final Path folder;
  private final Journal journal;
  private final FolderWatch watch;
  private volatile EgressRules rules = EgressRules.NOTHING;
  private volatile Map<String, String> secrets = Map.of();

  /** The file stands there, and was not read because others could read it too. */
  private volatile boolean exposed;

  Rulings(Path folder, Journal journal) {
    this.folder = folder;
    this.journal = journal;
    this.watch = new FolderWatch("aion-egress-watch", folder, ".yaml", this::changed);
  }

  void start(Duration look) {
    watch.settle();
    readRules();
    readSecrets();
    watch.start(look);
  }

  EgressRules rules() {
    return rules;
  }

  /** Name to secret. */
  Map<String, String> secrets() {
    // A change of permissions is none of the file that the watch could see.
    if (exposed && isPrivate(folder.resolve(SECRETS))) {
      readSecrets();
    }
    return secrets;
  }

  private static boolean isPrivate(Path file) {
    try {
      Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
      permissions.removeAll(
          Set.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE));
      return permissions.isEmpty();
    } catch (IOException unreadable) {
      return false;
    }
  }

  private void changed(Path file) {
    switch (file.getFileName().toString()) {
      case RULES -> readRules();
      case SECRETS -> readSecrets();
      default -> {
        // Another bundle's.
      }
    }
  }

  private void readRules() {
    try {
      EgressRules read = EgressRules.read(Files.readAllBytes(folder.resolve(RULES)));
      record(
          "egress.activated",
          Map.of("rules", read.rules().size(), "credentials", read.credentials().size()));
      rules = read;
      log.info(
          "egress rules activated: rules={} credentials={}",
          read.rules().size(),
          read.credentials().size());
    } catch (NoSuchFileException none) {
      rules = EgressRules.NOTHING;
      log.info("egress rules: there is no {}, so nothing is let out", RULES);
    } catch (InvalidDocument invalid) {
      reject(RULES, invalid.describe());
    } catch (IOException | Refused unreadable) {
      reject(RULES, String.valueOf(unreadable.getMessage()));
    }
  }

  private synchronized void readSecrets() {
    Path file = folder.resolve(SECRETS);
    try {
      exposed = Files.exists(file) && !isPrivate(file);
      if (exposed) {
        reject(SECRETS, "others than its owner may read it; do: chmod 600 " + file);
        return;
      }
      Fields fields = Documents.yaml(Files.readAllBytes(file));
      Map<String, String> read = new LinkedHashMap<>();
      for (String name : fields.names()) {
        read.put(name, fields.text(name));
      }
      secrets = Map.copyOf(read);
      log.info("secrets activated: names={}", read.keySet());
    } catch (NoSuchFileException none) {
      secrets = Map.of();
    } catch (InvalidDocument invalid) {
      // Never what it says: that may quote a secret.
      reject(SECRETS, "it must map names to texts: " + invalid.pointer());
    } catch (IOException unreadable) {
      reject(SECRETS, String.valueOf(unreadable.getMessage()));
    }
  }

  private void reject(String file, String why) {
    log.error("egress: {} refused, the last good one is kept: why={}", file, why);
    try {
      record("egress.refused", Map.of("file", file, "why", why));
    } catch (Refused away) {
      log.error("the refusal of {} could not be recorded", file);
    }
  }

  private void record(String kind, Map<String, Object> facts) {
    journal.record(new Journal.Event("kernel.egress", kind, null, facts));
  }

  @Override
  public void close() {
    watch.close();
  }
}
