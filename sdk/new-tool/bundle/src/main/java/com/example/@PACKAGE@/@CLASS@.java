package com.example.@PACKAGE@;

import java.util.Map;
import org.aionos.tool.Effects;
import org.aionos.tool.Tool;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.aionos.tool.ToolSpec;
import org.osgi.service.component.annotations.Component;

/** Counts the words of a text. Runs in the kernel's own process: operators must trust its vendor. */
@Component
@ToolSpec(name = "@NAME@", version = "1.0.0")
public final class @CLASS@ implements Tool {

  @Override
  public ToolResult invoke(ToolCall call, Effects effects) throws ToolFailure {
    String text = call.text("text").strip();
    if (text.isEmpty()) {
      throw new ToolFailure(ToolFailure.Code.BAD_ARGUMENT, "the text has no words");
    }
    return ToolResult.of(Map.of("words", text.split("\\s+").length));
  }
}
