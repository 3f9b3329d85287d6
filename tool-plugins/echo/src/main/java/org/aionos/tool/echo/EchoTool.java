package org.aionos.tool.echo;

import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.tool.Effects;
import org.aionos.tool.Tool;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.aionos.tool.ToolSpec;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * Returns its {@code text}, and under {@code arguments} whatever else it was given. It says which
 * version answered, so that an upgrade under load can be watched from outside.
 *
 * <p>A tool built in one version says {@link ToolSpec @ToolSpec(name, version)} on its class. This
 * one is built in two, so the same properties come from a file that the build fills in.
 */
@Component(properties = "AION-INF/tool.properties")
public final class EchoTool implements Tool {

  private static final String TEXT = "text";

  private final String version;

  @Activate
  public EchoTool(ToolSpec spec) {
    this(spec.version());
  }

  EchoTool(String version) {
    this.version = version;
  }

  @Override
  public ToolResult invoke(ToolCall call, Effects effects) throws ToolFailure {
    Map<String, @Nullable Object> value = new LinkedHashMap<>();
    value.put(TEXT, call.text(TEXT));
    value.put("version", version);
    Map<String, @Nullable Object> others = new LinkedHashMap<>(call.arguments());
    others.remove(TEXT);
    if (!others.isEmpty()) {
      value.put("arguments", others);
    }
    return ToolResult.of(value);
  }
}
