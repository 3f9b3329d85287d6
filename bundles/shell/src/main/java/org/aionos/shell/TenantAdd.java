package org.aionos.shell;

import org.aionos.kernel.Identity;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/** Add a tenant and show its secret, this once. */
@Service
@Command(
    scope = "aion",
    name = "tenant-add",
    description = "Add a tenant and show its secret, this once")
public final class TenantAdd implements Action {

  @Reference Identity identity;

  @Reference Session session;

  @Argument(name = "tenant", description = "Name of the new tenant", required = true)
  String tenant = "";

  @Override
  public @Nullable Object execute() {
    Identity.Secret secret = identity.addTenant(tenant, Operator.of(session));
    System.out.println(
        "tenant " + secret.id() + "\nsecret " + secret.value() + "\nIt is shown this once.");
    return null;
  }
}
