package org.aionos.policy;

import java.util.Set;
import org.aionos.policies.PolicyDocument;
import org.aionos.policies.Revoked;
import org.aionos.policies.RuleBook;
import org.jspecify.annotations.Nullable;

/**
 * All by which calls are decided, as it is at one moment. Immutable, but for what is counted.
 *
 * @param stable null while there is no policy
 */
record InForce(@Nullable Loaded stable, @Nullable Candidate canary, Revoked revoked) {

  static final InForce NOTHING = new InForce(null, null, Revoked.NOTHING);

  private static final int PERCENT = 100;

  /** A version, ready to decide, and what is counted of its calls. */
  record Loaded(
      String name, String sha256, PolicyDocument document, RuleBook book, Observed calls) {

    static Loaded of(KeptVersions.Kept kept) {
      return new Loaded(
          kept.name(),
          kept.about().sha256(),
          kept.document(),
          kept.document().rules(kept.name()),
          new Observed());
    }
  }

  /** A version that some tenants have. */
  record Candidate(Loaded version, @Nullable Integer percent, Set<String> tenants) {

    /** The same tenants again and again, and others for another version. */
    boolean takes(String tenant) {
      return percent == null
          ? tenants.contains(tenant)
          : Math.floorMod(mixed(31 * version.name().hashCode() + tenant.hashCode()), PERCENT)
              < percent;
    }

    /** Spreads what names that are alike have in common: the finalizer of MurmurHash3. */
    private static int mixed(int hash) {
      int h = hash;
      h = (h ^ (h >>> 16)) * 0x85ebca6b;
      h = (h ^ (h >>> 13)) * 0xc2b2ae35;
      return h ^ (h >>> 16);
    }
  }

  /** The version that decides for a tenant; null while there is none. */
  @Nullable Loaded of(String tenant) {
    Candidate some = canary;
    return some != null && some.takes(tenant) ? some.version() : stable;
  }

  RuleBook book(String tenant) {
    Loaded version = of(tenant);
    return version == null ? RuleBook.EMPTY : version.book();
  }

  /** What a decision of one of the versions is counted with; null if it is of neither. */
  @Nullable Observed observed(String version) {
    if (stable != null && stable.name().equals(version)) {
      return stable.calls();
    }
    return canary != null && canary.version().name().equals(version)
        ? canary.version().calls()
        : null;
  }

  InForce with(@Nullable Candidate other) {
    return new InForce(stable, other, revoked);
  }

  InForce with(Revoked other) {
    return new InForce(stable, canary, other);
  }
}
