package com.example.@PACKAGE@;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.Map;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.junit.jupiter.api.Test;

final class @CLASS@Test {

  private static Map<String, ?> invoke(String text) throws ToolFailure {
    // It uses no effects, so it is given none.
    return new @CLASS@()
        .invoke(new ToolCall("sc-1", "@NAME@", Map.of("text", text), Instant.MAX, null), null)
        .value();
  }

  @Test
  void counts_words() throws ToolFailure {
    assertEquals(Map.of("words", 3), invoke("one two  three"));
  }

  @Test
  void no_words_is_the_agents_fault() {
    assertThrows(ToolFailure.class, () -> invoke(" "));
  }
}
