package org.aionos.manifest;

import java.util.regex.Pattern;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;

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
}
