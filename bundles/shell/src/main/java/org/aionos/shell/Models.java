package org.aionos.shell;

import java.util.List;
import org.aionos.kernel.model.Models.Model;
import org.aionos.kernel.model.Models.Route;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.apache.karaf.shell.support.table.ShellTable;
import org.jspecify.annotations.Nullable;

/** List the models that agents can ask, their routes, prices and circuits. */
@Service
@Command(
    scope = "aion",
    name = "models",
    description = "List the models that agents can ask, their routes, prices and circuits")
public final class Models implements Action {

  @Reference(optional = true)
  org.aionos.kernel.model.@Nullable Models models;

  @Option(name = "--no-format", description = "Without borders, for scripts")
  boolean plain;

  @Override
  public @Nullable Object execute() {
    org.aionos.kernel.model.Models present = models;
    if (present == null) {
      throw new IllegalStateException("the model bundle does not run; see bundle:list and the log");
    }
    if (!present.rejected().isEmpty()) {
      System.out.println(
          "NOT in force is the models.yaml that is there now: " + Words.line(present.rejected()));
    }
    List<Model> all = present.models();
    if (all.isEmpty()) {
      System.out.println(
          "none: set OLLAMA_URL, or name a provider in config/models.yaml; or none answers");
      return null;
    }
    table(all).print(System.out, !plain);
    return null;
  }

  private static ShellTable table(List<Model> all) {
    ShellTable table = new ShellTable();
    List.of("MODEL", "DEFAULT", "ROUTE", "LOCAL", "USD PER MILLION IN", "OUT", "CIRCUIT")
        .forEach(table::column);
    for (Model model : all) {
      for (Route route : model.routes()) {
        table
            .addRow()
            .addContent(
                Words.line(model.name()),
                model.isDefault() ? "yes" : "",
                Words.line(route.provider() + "/" + route.model()),
                route.local() ? "yes" : "no",
                route.usdPerMillionTokensIn().toPlainString(),
                route.usdPerMillionTokensOut().toPlainString(),
                route.circuit());
      }
    }
    return table;
  }
}
