package org.aionos.router;

import java.util.List;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.Approvals;
import org.jspecify.annotations.Nullable;

/** No call wants a person. */
final class NobodyAsked implements Approvals {

  @Override
  public void use(Decision.AfterApproval decision, Asked asked, String subject) {
    throw new Refused(Code.APPROVAL_REQUIRED, subject);
  }

  @Override
  public List<Approval> list(@Nullable String tenant) {
    return List.of();
  }

  @Override
  public Approval decide(String id, boolean approved, Caller by) {
    throw new Refused(Code.NOT_FOUND, id);
  }
}
