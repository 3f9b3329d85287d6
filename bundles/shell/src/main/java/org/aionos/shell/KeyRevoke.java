package org.aionos.shell;

import org.aionos.kernel.Identity;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Revoke an agent key, for ever. */
@Service
@Command(scope = "aion", name = "key-revoke", description = "Revoke an agent key, for ever")
public final class KeyRevoke implements Action {

  @Reference Identity identity;

  @Reference Session session;

  @Argument(index = 0, name = "tenant", description = "Whose key it is", required = true)
  @Completion(TenantNames.class)
  String tenant = "";

  @Argument(index = 1, name = "key", description = "Its id, as aion:keys shows it", required = true)
  String key = "";

  @Override
  public @Nullable Object execute() {
    identity.revokeKey(tenant, key, Operator.of(session));
    System.out.println("revoked " + key);
    return null;
  }
}
