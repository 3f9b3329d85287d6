package org.aionos.egress;

import org.aionos.dialogue.FetchWords;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.Code;
import org.aionos.kernel.Egress;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/** Serves {@code net.fetch}: {@code {url, method, headers, body | body_base64, timeout_ms}}. */
@Component(
    service = SyscallHandler.class,
    property = {SyscallHandler.NAMES + "=" + NetFetch.NAME, SyscallHandler.NEEDS + "=network"})
public final class NetFetch implements SyscallHandler {

  static final String NAME = "net.fetch";

  private final Egress egress;

  @Activate
  public NetFetch(@Reference(name = "egress") Egress egress) {
    this.egress = egress;
  }

  @Override
  public Outcome.Ok run(Admitted call) throws InterruptedException {
    try {
      Fields params =
          Fields.of(call.syscall().params(), "/params")
              .only("url", "method", "headers", "body", "body_base64", "timeout_ms");
      var via = new Egress.Via(call.syscall().agent(), null, call.asked().auditId());
      return Outcome.Ok.ofKernel(
          NAME, FetchWords.result(egress.fetch(FetchWords.request(params), via)));
    } catch (InvalidDocument invalid) {
      Code code =
          invalid.fault() == InvalidDocument.Fault.MISSING
              ? Code.MISSING_FIELD
              : Code.INVALID_FIELD;
      throw new Refused(Problem.at(invalid.pointer(), code, invalid.why()));
    }
  }
}
