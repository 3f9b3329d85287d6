package org.aionos.shell;

import org.aionos.kernel.AgentId;
import org.aionos.kernel.memory.MemoryControl;
import org.aionos.kernel.memory.Place;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Completion;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.action.lifecycle.Service;
import org.jspecify.annotations.Nullable;

/** Hide an item from its agent, or show it again. */
@Service
@Command(
    scope = "aion",
    name = "memory-quarantine",
    description = "Hide an item from its agent, or show it again")
public final class MemoryQuarantine implements Action {

  @Reference MemoryControl memory;

  @Argument(name = "type", description = "short, long or episodic", required = true)
  String type = "";

  @Argument(index = 1, name = "agent", description = "agent://<tenant>/<agent>", required = true)
  @Completion(AgentNames.class)
  String agent = "";

  @Argument(index = 2, name = "key", description = "Of the item", required = true)
  String key = "";

  @Option(name = "--task", description = "Of the item", valueToShowInHelp = "none")
  String task = "";

  @Option(name = "--release", description = "Show it again")
  boolean release;

  @Override
  public @Nullable Object execute() {
    Place place = new Place(AgentId.parse(agent), task, key);
    boolean done =
        (release ? memory.release(type, place) : memory.quarantine(type, place)).isPresent();
    String state = release ? "released" : "in quarantine";
    System.out.println(key + ": " + (done ? state : "there is no such item"));
    return null;
  }
}
