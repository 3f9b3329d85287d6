package org.aionos.gateway;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.Role;
import org.aionos.kernel.policy.Brain;
import org.jspecify.annotations.Nullable;

/** What the Brain is asked for. */
final class BrainEndpoints {

  private static final String SNAPSHOT = "snapshot";

  private final Kernel kernel;

  BrainEndpoints(Kernel kernel) {
    this.kernel = kernel;
  }

  void propose(Exchange exchange) {
    exchange.requireOfKernel(Role.OPERATOR);
    boolean wrapped = false;
    try {
      Map<String, @Nullable Object> snapshot = null;
      if (exchange.body().length > 0) {
        Fields body = exchange.document();
        wrapped = body.has(SNAPSHOT);
        snapshot = snapshot(body);
      }
      Brain.Proposal proposal = kernel.brain().propose(snapshot, exchange.caller().keyId());
      exchange.answer(200, Answers.of(shown(proposal)));
    } catch (InvalidDocument invalid) {
      throw Exchange.refused(invalid);
    } catch (Refused refused) {
      throw wrapped ? within(refused) : refused;
    } catch (InterruptedException stopping) {
      Thread.currentThread().interrupt();
      throw new Refused(Code.RESTARTING, "the kernel is stopping; ask again in a moment");
    }
  }

  /** Under its name, or by itself; null for none. */
  private static @Nullable Map<String, @Nullable Object> snapshot(Fields body)
      throws InvalidDocument {
    if (body.has(SNAPSHOT)) {
      return body.only(SNAPSHOT).object(SNAPSHOT).values();
    }
    return body.names().stream().noneMatch(body::has) ? null : body.values();
  }

  /** The Brain points into the snapshot; the caller has sent more around it. */
  private static Refused within(Refused refused) {
    Problem problem = refused.problem();
    String pointer = problem.pointer();
    return pointer == null
        ? refused
        : new Refused(Problem.at("/" + SNAPSHOT + pointer, problem.code(), problem.message()));
  }

  private static Map<String, @Nullable Object> shown(Brain.Proposal proposal) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("version", proposal.version());
    values.put("changes", proposal.changes().stream().map(BrainEndpoints::shown).toList());
    values.put("rationale", proposal.rationale());
    values.put("evidence", proposal.evidence());
    values.put("widening", proposal.widening());
    values.put("needs_operator", !proposal.needsOperator().isEmpty());
    values.put("needs_operator_for", List.copyOf(proposal.needsOperator()));
    values.put("source", proposal.source());
    return values;
  }

  private static Map<String, @Nullable Object> shown(Brain.Change change) {
    Map<String, @Nullable Object> values = new LinkedHashMap<>();
    values.put("file", change.file());
    values.put("pointer", change.pointer());
    values.put("before", change.before());
    values.put("after", change.after());
    values.put("reason", change.reason());
    return values;
  }
}
