package org.aionos.manifest;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.document.InvalidDocument.Fault;

/** What both manifests have in common. */
final class Manifests {

  private Manifests() {}

  static void expect(Fields root, String kind) throws InvalidDocument {
    if (!root.text("apiVersion").equals("aion.os/v1")) {
      throw root.invalid("apiVersion", "must be aion.os/v1");
    }
    if (!root.text("kind").equals(kind)) {
      throw root.invalid("kind", "must be " + kind);
    }
  }

  static String matching(Fields fields, String name, Pattern pattern) throws InvalidDocument {
    String text = fields.text(name);
    if (!pattern.matcher(text).matches()) {
      throw fields.invalid(name, "must match " + pattern.pattern());
    }
    return text;
  }

  /** A list of texts that all match; the pointer of one that does not is its own. */
  static Set<String> matchingAll(Fields fields, String name, Pattern pattern, int countMax)
      throws InvalidDocument {
    Set<String> texts = fields.texts(name, countMax);
    for (String text : texts) {
      if (!pattern.matcher(text).matches()) {
        int index = fields.value(name) instanceof List<?> list ? list.indexOf(text) : 0;
        throw new InvalidDocument(
            Fault.INVALID, fields.at(name) + "/" + index, "must match " + pattern.pattern());
      }
    }
    return texts;
  }
}
