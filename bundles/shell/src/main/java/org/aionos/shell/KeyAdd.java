package org.aionos.shell;

import java.time.Duration;
import org.aionos.kernel.AgentId;
import org.aionos.kernel.Identity;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Make a key that signs for one agent and show its secret, this once. */
@Service
@Command(
    scope = "aion",
    name = "key-add",
    description = "Make a key that signs for one agent and show its secret, this once")
public final class KeyAdd implements Action {

  @Reference Identity identity;

  @Reference Session session;

  @Argument(name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Option(name = "--days", description = "How long it is good; without, until it is revoked")
  @Nullable Integer days;

  @Override
  public @Nullable Object execute() {
    Identity.Secret secret =
        identity.addKey(
            AgentId.parse(agent),
            days == null ? null : Duration.ofDays(days),
            Operator.of(session));
    System.out.println(
        "key    " + secret.id() + "\nsecret " + secret.value() + "\nIt is shown this once.");
    return null;
  }
}
