package org.aionos.shell;

import org.aionos.kernel.Caller;
import org.aionos.kernel.Role;
import org.apache.karaf.shell.api.console.Session;

/** Whoever sits at this shell: it opens for operators alone. */
final class Operator {

  private Operator() {}

  static Caller of(Session session) {
    return Caller.person(name(session), Role.ADMIN, null);
  }

  static String name(Session session) {
    Object user = session.get("USER");
    return "shell:" + (user == null ? "local" : user);
  }
}
