package org.aionos.trust;

import java.util.Locale;

/** Why trust refuses a jar that is sound in itself. Stands in journal, log and answer. */
enum Reason {
  UNSIGNED,
  MALFORMED_SIGNATURE,
  UNKNOWN_KEY,
  TAMPERED,
  STATEMENT_MISMATCH,
  SBOM_MISMATCH,
  KEY_NOT_YET_VALID,
  KEY_EXPIRED,
  KEY_REVOKED,
  DIGEST_REVOKED,
  OUT_OF_PREFIX,
  TIER_NOT_GRANTED,
  BELOW_MINIMUM_VERSION,
  DOWNGRADE,
  CHANGED_UNDER_ITS_VERSION,
  TRUST_STORE_UNREADABLE;

  /** As the rule of a problem: {@code trust/unknown-key}. */
  String rule() {
    return "trust/" + name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What an operator can overrule by force: they protect from a mistake, not from a stranger. */
  boolean isForcible() {
    return this == DOWNGRADE || this == CHANGED_UNDER_ITS_VERSION;
  }
}
