package org.aionos.router;

import java.nio.file.Path;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.aionos.kernel.AgentId;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;

/** The workspaces of all agents: {@code workspaces/<tenant>/<agent>/}. */
@Component(
    service = Workspaces.class,
    configurationPid = "org.aionos.router",
    configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class Workspaces {

  private final Path root;
  private final Workspace.Limits limits;
  private final ConcurrentMap<AgentId, Workspace> workspaces = new ConcurrentHashMap<>();

  @Activate
  public Workspaces(RouterConfig config, BundleContext context) {
    this(
        Path.of(String.valueOf(context.getProperty("aion.state")), "workspaces"),
        new Workspace.Limits(
            config.workspaceBytesMax(), config.workspaceFilesMax(), config.fileBytesMax()));
  }

  Workspaces(Path root, Workspace.Limits limits) {
    this.root = root;
    this.limits = limits;
  }

  /** An agent's own; both names are safe as file names, see {@link AgentId}. */
  Workspace of(AgentId agent) {
    return workspaces.computeIfAbsent(
        agent, id -> new Workspace(root.resolve(id.tenant()).resolve(id.name()), limits));
  }
}
