package org.aionos.router;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.aionos.kernel.Asked;
import org.aionos.kernel.Caller;
import org.aionos.kernel.Code;
import org.aionos.kernel.Decision;
import org.aionos.kernel.Refused;
import org.aionos.kernel.policy.Approvals;

/** Approvals of subjects, each good for one call. */
final class FakeApprovals implements Approvals {

  final List<String> approved = Collections.synchronizedList(new ArrayList<>());

  @Override
  public void use(Decision.AfterApproval decision, Asked asked, String subject) {
    if (!approved.remove(subject)) {
      throw new Refused(Code.APPROVAL_REQUIRED, "ap-1 waits for " + subject);
    }
  }

  @Override
  public List<Approval> list(String tenant) {
    return List.of();
  }

  @Override
  public Approval decide(String id, boolean approve, Caller by) {
    throw new Refused(Code.NOT_FOUND, id);
  }
}
