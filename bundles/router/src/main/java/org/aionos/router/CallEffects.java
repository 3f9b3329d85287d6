package org.aionos.router;

import java.util.List;
import java.util.Set;
import org.aionos.tool.Effects;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolFailure.Code;

/** The outside world of one call: bounded by its grants, and dead once it has ended. */
final class CallEffects implements Effects, AutoCloseable {

  private static final String FILESYSTEM = "filesystem";

  private final Set<String> grants;
  private final Workspace workspace;
  private volatile boolean ended;

  CallEffects(Set<String> grants, Workspace workspace) {
    this.grants = grants;
    this.workspace = workspace;
  }

  @Override
  public String readText(String path) throws ToolFailure {
    require(FILESYSTEM);
    return workspace.readText(path);
  }

  @Override
  public void writeText(String path, String text) throws ToolFailure {
    require(FILESYSTEM);
    workspace.writeText(path, text);
  }

  @Override
  public List<String> list(String path) throws ToolFailure {
    require(FILESYSTEM);
    return workspace.list(path);
  }

  private void require(String capability) throws ToolFailure {
    if (ended) {
      throw new IllegalStateException("the call has ended; its effects ended with it");
    }
    if (!grants.contains(capability)) {
      throw new ToolFailure(
          Code.NOT_PERMITTED, "the agent of this call does not hold " + capability);
    }
  }

  @Override
  public void close() {
    ended = true;
  }
}
