package org.aionos.policy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Journal;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.policy.PolicyVersions.Revocation;
import org.aionos.kernel.policy.PolicyVersions.Revoking;
import org.aionos.policies.Revoked;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * {@code revocations.yaml}: written here and by hand. What cannot be read, and what is gone,
 * changes nothing: the last that was good holds. To lift by hand is to write a file without it.
 */
final class RevocationFile {

  private static final Logger log = LoggerFactory.getLogger(RevocationFile.class);

  static final String FILE_NAME = "revocations.yaml";

  private static final int ID_BYTES = 6;

  private final Path file;
  private final Path lastGood;
  private final Disk disk;
  private final Journal journal;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final Consumer<Revoked> changed;
  private Revoked now = Revoked.NOTHING;
  private byte[] bytes = {};

  /** Made here since the others were last seen to have what we have. */
  private final Map<String, Revocation> unshared = new LinkedHashMap<>();

  private volatile String rejected = "";

  RevocationFile(
      Path policies,
      Path state,
      Disk disk,
      Journal journal,
      InstantSource clock,
      RandomGenerator random,
      Consumer<Revoked> changed) {
    this.file = policies.resolve(FILE_NAME);
    this.lastGood = state.resolve("last-good." + FILE_NAME);
    this.disk = disk;
    this.journal = journal;
    this.clock = clock;
    this.random = random;
    this.changed = changed;
  }

  /** Why the file that is there now is not in force; empty if it is. */
  String rejected() {
    return rejected;
  }

  synchronized void restore() {
    try {
      hold(Revoked.read(Files.readAllBytes(lastGood), clock.instant()));
      bytes = Files.readAllBytes(lastGood);
    } catch (NoSuchFileException never) {
      log.debug("nothing was ever taken away");
    } catch (IOException | InvalidDocument damaged) {
      log.error("the last good revocations are lost: file={}", lastGood, damaged);
    }
    reload();
  }

  /** Takes the file into force, if it is good and new. */
  synchronized void reload() {
    try {
      byte[] written = Files.readAllBytes(file);
      if (!Arrays.equals(written, bytes)) {
        Revoked read = Revoked.read(written, clock.instant());
        record("policy.revocations_changed", "file", Map.of("count", read.revocations().size()));
        disk.write(lastGood, written);
        bytes = written;
        hold(read);
      }
      rejected = "";
    } catch (NoSuchFileException gone) {
      writeAgain();
    } catch (InvalidDocument invalid) {
      reject(invalid.describe());
    } catch (IOException unreadable) {
      reject("cannot be read: " + unreadable.getMessage());
    } catch (Refused journalAway) {
      reject(journalAway.problem().message());
    }
  }

  private void reject(String why) {
    rejected = why;
    log.error("revocations refused: file={} why={}", file, why);
  }

  private void writeAgain() {
    if (bytes.length > 0) {
      try {
        disk.write(file, bytes);
        log.warn("the file of revocations was gone and is written again: file={}", file);
      } catch (IOException readOnly) {
        reject("is gone and cannot be written: " + readOnly.getMessage());
      }
    }
  }

  private void hold(Revoked revoked) {
    now = revoked;
    changed.accept(revoked);
  }

  synchronized List<Revocation> newestFirst() {
    List<Revocation> all = new ArrayList<>(now.revocations());
    java.util.Collections.reverse(all);
    return List.copyOf(all);
  }

  synchronized Revocation revoke(Revoking what, @Nullable Caller by) {
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    Revocation each =
        new Revocation(
            "rv-" + HexFormat.of().formatHex(id), what, Switches.name(by), clock.instant());
    if (now.revocations().size() >= Revoked.REVOCATIONS_MAX) {
      throw new Refused(
          Problem.of(
                  Code.QUEUE_FULL,
                  "there are " + Revoked.REVOCATIONS_MAX + " revocations, and no room for more")
              .admittedBy("lift some, or change the policy"));
    }
    List<Revocation> all = new ArrayList<>(now.revocations());
    all.add(each);
    Revoked checked = checked(new Revoked(all));
    Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    facts.put("tenant", what.tenant());
    facts.put("agent", what.agent());
    facts.put("capability", what.capability());
    facts.put("tool", what.tool());
    facts.put("syscall", what.syscall());
    facts.put("reason", what.reason());
    facts.put("id", each.id());
    record("policy.revoked", each.by(), facts);
    write(checked);
    unshared.put(each.id(), each);
    return each;
  }

  /** What is written must be what is read again. */
  private Revoked checked(Revoked revoked) {
    try {
      return Revoked.read(revoked.write(), clock.instant());
    } catch (InvalidDocument invalid) {
      throw new Refused(
          Problem.at(
              invalid.pointer().replaceFirst("^/revocations/\\d+", ""),
              Code.INVALID_FIELD,
              invalid.why()));
    }
  }

  synchronized void lift(String id, @Nullable Caller by) {
    if (by == null || by.kind() != Caller.Kind.PERSON || !by.has(Role.OPERATOR)) {
      throw new Refused(
          Problem.of(Code.ROLE_REQUIRED, "what was taken away is given back by a person")
              .admittedBy("an operator lifts the revocation"));
    }
    List<Revocation> left =
        now.revocations().stream().filter(each -> !each.id().equals(id)).toList();
    if (left.size() == now.revocations().size()) {
      throw new Refused(Code.NOT_FOUND, "there is no revocation of this id");
    }
    record("policy.revocation_lifted", Switches.name(by), Map.of("id", id));
    write(new Revoked(left));
    unshared.remove(id);
  }

  private void write(Revoked revoked) {
    byte[] written = revoked.write();
    try {
      disk.write(lastGood, written);
      disk.write(file, written);
    } catch (IOException failed) {
      log.error("revocations could not be kept: file={}", file, failed);
      throw new Refused(
          Code.BACKEND_UNAVAILABLE,
          "the revocations could not be kept: is the disk full, or the folder not writable?");
    }
    bytes = written;
    rejected = "";
    hold(revoked);
  }

  private void record(String kind, String by, Map<String, ? extends @Nullable Object> more) {
    Map<String, @Nullable Object> facts = new LinkedHashMap<>(more);
    facts.put("by", by);
    journal.record(new Journal.Event("kernel.policy", kind, null, facts));
  }

  // --- the cluster ----------------------------------------------------------------------------

  /** As other nodes are given it; empty if nothing was ever taken away. */
  synchronized byte[] written() {
    return bytes.clone();
  }

  synchronized boolean is(byte[] written) {
    boolean same = Arrays.equals(bytes, written);
    if (same) {
      unshared.clear();
    }
    return same;
  }

  /**
   * Takes over what other nodes have taken away. What was taken away here meanwhile is kept, and
   * given to them next.
   */
  synchronized void adopt(byte[] written) throws InvalidDocument, IOException {
    Revoked theirs = Revoked.read(written, clock.instant());
    List<Revocation> all = new ArrayList<>(theirs.revocations());
    unshared.values().stream().filter(each -> !all.contains(each)).forEach(all::add);
    boolean more = all.size() > theirs.revocations().size();
    Revoked both = more ? new Revoked(all) : theirs;
    byte[] kept = more ? both.write() : written.clone();
    record("policy.revocations_changed", "cluster", Map.of("count", all.size()));
    disk.write(lastGood, kept);
    disk.write(file, kept);
    bytes = kept;
    hold(both);
  }
}
