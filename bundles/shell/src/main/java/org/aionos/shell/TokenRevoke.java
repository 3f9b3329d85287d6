package org.aionos.shell;

import org.aionos.kernel.Identity;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Revoke the bootstrap operator token, for ever. */
@Service
@Command(
    scope = "aion",
    name = "token-revoke",
    description = "Revoke the bootstrap operator token, for ever")
public final class TokenRevoke implements Action {

  @Reference Identity identity;

  @Reference Session session;

  @Override
  public @Nullable Object execute() {
    identity.revokeBootstrapToken(Operator.of(session));
    System.out.println("revoked; people now sign in through the identity provider alone");
    return null;
  }
}
