package org.aionos.shell;

import org.aionos.kernel.Settings;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Show the configuration in force. */
@Service
@Command(scope = "aion", name = "config", description = "Show the configuration in force")
public final class Config implements Action {

  @Reference Settings settings;

  @Override
  public @Nullable Object execute() {
    Settings.Status status = settings.status();
    status
        .sections()
        .forEach(
            (section, values) ->
                values.forEach(
                    (key, value) -> {
                      String by = status.overrides().get(section + "." + key);
                      System.out.println(
                          section
                              + "."
                              + key
                              + " = "
                              + value
                              + (by == null ? "" : "   (" + by + ")"));
                    }));
    if (!status.rejected().isEmpty()) {
      System.out.println("NOT in force is the file that is there now: " + status.rejected());
    }
    return null;
  }
}
