package org.aionos.brain;

import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.aionos.kernel.Code;
import org.aionos.kernel.Outcome;
import org.aionos.kernel.Refused;
import org.aionos.kernel.model.Models;

/** A model that says what stands in a script, and nothing more when that is at its end. */
final class ScriptedModels implements Models {

  /**
   * In a script: an answer that the model's own part of the kernel finds not to be of its schema.
   */
  static final String INVALID = "INVALID";

  final Deque<String> script = new ArrayDeque<>();
  final List<Question> questions = new ArrayList<>();

  ScriptedModels(String... script) {
    this.script.addAll(List.of(script));
  }

  @Override
  public Answer ask(Question question) {
    questions.add(question);
    if (script.isEmpty()) {
      throw new Refused(Code.UPSTREAM_UNAVAILABLE, "the script is at its end");
    }
    String text = script.remove();
    if (text.equals(INVALID)) {
      throw new Refused(Code.RESULT_INVALID, "/changes: is missing\u202e");
    }
    return new Answer(text, "local/scripted", new Outcome.Spent(new BigDecimal("0.001"), 900, 80));
  }

  @Override
  public List<Model> models() {
    return List.of(
        new Model(
            "default",
            List.of(
                new Route("local", "scripted", true, BigDecimal.ZERO, BigDecimal.ZERO, "closed"),
                new Route("local", "a", true, BigDecimal.ZERO, BigDecimal.ZERO, "open")),
            true));
  }

  @Override
  public String rejected() {
    return "";
  }
}
