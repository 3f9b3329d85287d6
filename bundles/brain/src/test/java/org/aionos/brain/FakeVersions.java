package org.aionos.brain;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.PolicyVersions;
import org.aionos.policies.PolicyDocument;
import org.jspecify.annotations.Nullable;

/** Versions in memory, with what was asked of them. */
final class FakeVersions implements PolicyVersions {

  final Map<String, Whole> kept = new LinkedHashMap<>();
  final List<String> activated = new ArrayList<>();
  final List<Activation> activations = new ArrayList<>();
  @Nullable String current;
  @Nullable Trial trial;

  /** Puts a version of a person in force. */
  void inForce(Map<String, String> files) {
    current = add(new Proposal(null, files, null, Origin.OPERATOR, "", Map.of()), null).name();
  }

  @Override
  public Optional<Version> current() {
    return Optional.ofNullable(current).map(name -> find(name).version());
  }

  @Override
  public List<Version> list(@Nullable String after, int limit) {
    return kept.values().stream().map(Whole::version).toList();
  }

  @Override
  public Whole find(String version) {
    Whole whole = kept.get(version);
    if (whole == null) {
      throw new Refused(Code.NOT_FOUND, "there is no version " + version);
    }
    return whole;
  }

  @Override
  public Version add(Proposal proposal, @Nullable Caller by) {
    PolicyDocument document = Kernel.document(proposal.files());
    String name = "v-" + document.sha256().substring(0, 8);
    Version version =
        new Version(
            name,
            document.sha256(),
            Instant.EPOCH,
            by == null ? "kernel" : by.keyId(),
            proposal.parent(),
            proposal.origin(),
            proposal.rationale(),
            proposal.evidence(),
            State.STORED);
    kept.putIfAbsent(name, new Whole(version, proposal.files()));
    return find(name).version();
  }

  @Override
  public List<Change> diff(String from, String to) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Wider> widening(String from, String to) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Version activate(String version, Activation activation, @Nullable Caller by) {
    activated.add(version);
    activations.add(activation);
    return find(version).version();
  }

  @Override
  public Version rollback(String version, String reason, @Nullable Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public Optional<Trial> canary() {
    return Optional.ofNullable(trial);
  }

  @Override
  public Version promote(@Nullable Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void end(String reason, @Nullable Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public DryRun dryRun(String version) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<Revocation> revocations() {
    return List.of();
  }

  @Override
  public Revocation revoke(Revoking what, @Nullable Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void lift(String id, @Nullable Caller by) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String operatorCalled() {
    return "";
  }
}
