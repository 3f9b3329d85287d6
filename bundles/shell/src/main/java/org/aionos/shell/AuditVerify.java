package org.aionos.shell;

import org.aionos.kernel.JournalReader;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Read the whole journal and say whether its chain is whole. */
@Service
@Command(
    scope = "aion",
    name = "audit-verify",
    description = "Read the whole journal and say whether its chain is whole")
public final class AuditVerify implements Action {

  @Reference JournalReader reader;

  @Override
  public @Nullable Object execute() {
    JournalReader.Verification found = reader.verify();
    String counted =
        found.entries()
            + " records from "
            + found.firstSequence()
            + ", "
            + found.checkpoints()
            + " signed checkpoints, head "
            + found.head();
    if (!found.whole()) {
      throw new IllegalStateException("NOT whole: " + found.fault() + "; " + counted);
    }
    System.out.println("whole: " + counted);
    return null;
  }
}
