package org.aionos.trust;

import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.ToolInstaller.Signer;
import org.jspecify.annotations.Nullable;

/**
 * What trust says of one jar. With neither signer nor refusal an operator allowed its digest.
 *
 * @param why in words, if it is refused
 */
record Ruling(@Nullable Signer signer, @Nullable Reason refusal, String why, String admit) {

  static final Ruling BY_OPERATOR = new Ruling(null, null, "", "");

  static Ruling signedBy(VendorKey key) {
    return new Ruling(new Signer(key.vendor(), key.id()), null, "", "");
  }

  static Ruling refused(Reason reason, String why, String admit) {
    return new Ruling(null, reason, why, admit);
  }

  /** The same signature, but the jar does not come in. */
  Ruling but(Reason reason, String why, String admit) {
    return new Ruling(signer, reason, why, admit);
  }

  boolean isAccepted() {
    return refusal == null;
  }

  boolean isForcible() {
    return refusal != null && refusal.isForcible();
  }

  @Nullable Problem problem() {
    return refusal == null
        ? null
        : Problem.of(Code.TOOL_NOT_TRUSTED, why).ruledBy(refusal.rule()).admittedBy(admit);
  }
}
