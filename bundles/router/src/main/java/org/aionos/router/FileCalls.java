package org.aionos.router;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.Map;
import org.aionos.kernel.Admitted;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SyscallHandler;
import org.aionos.tool.ToolFailure;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;

/**
 * Serves {@code fs.read}, {@code fs.write} and {@code fs.list} in the workspace of the calling
 * agent.
 */
@Component(
    service = SyscallHandler.class,
    property = {
      SyscallHandler.NAMES + "=fs.read",
      SyscallHandler.NAMES + "=fs.write",
      SyscallHandler.NAMES + "=fs.list",
      SyscallHandler.NEEDS + "=filesystem"
    })
public final class FileCalls implements SyscallHandler {

  private final Workspaces workspaces;

  @Activate
  public FileCalls(@Reference(name = "workspaces") Workspaces workspaces) {
    this.workspaces = workspaces;
  }

  @Override
  public Outcome.Ok run(Admitted call) {
    String name = call.syscall().name();
    Workspace workspace = workspaces.of(call.syscall().agent());
    Map<String, @Nullable Object> params = call.syscall().params();
    try {
      return Outcome.Ok.ofKernel(
          name,
          switch (name) {
            case "fs.read" -> read(workspace, text(params, "path"));
            case "fs.write" -> write(workspace, text(params, "path"), text(params, "text"));
            case "fs.list" ->
                list(workspace, params.containsKey("path") ? text(params, "path") : "");
            default -> throw new IllegalStateException("not served here: " + name);
          });
    } catch (ToolFailure failure) {
      throw new Refused(problem(failure));
    }
  }

  private static Map<String, @Nullable Object> read(Workspace workspace, String path)
      throws ToolFailure {
    return Map.of("path", path, "text", workspace.readText(path));
  }

  private static Map<String, @Nullable Object> write(Workspace workspace, String path, String text)
      throws ToolFailure {
    workspace.writeText(path, text);
    return Map.of("path", path, "bytes", text.getBytes(UTF_8).length);
  }

  private static Map<String, @Nullable Object> list(Workspace workspace, String path)
      throws ToolFailure {
    List<String> names = workspace.list(path);
    return Map.of("path", path, "items", names);
  }

  private static Problem problem(ToolFailure failure) {
    String message = String.valueOf(failure.getMessage());
    return switch (failure.code()) {
      case NOT_FOUND -> Problem.at("/params/path", Code.NOT_FOUND, message);
      case TOO_LARGE, BAD_ARGUMENT -> Problem.at("/params/path", Code.INVALID_FIELD, message);
      case NOT_PERMITTED, UPSTREAM_UNAVAILABLE -> Problem.of(Code.TOOL_FAILED, message);
    };
  }

  private static String text(Map<String, @Nullable Object> params, String name) {
    Object value = params.get(name);
    if (value instanceof String text) {
      return text;
    }
    throw new Refused(
        Problem.at(
            "/params/" + name,
            value == null ? Code.MISSING_FIELD : Code.INVALID_FIELD,
            "must be text"));
  }
}
