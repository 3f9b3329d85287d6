package org.aionos.search;

import java.util.Locale;
import org.aionos.words.Language;

/**
 * One document of the offline index.
 *
 * @param file where it was found, with {@code /} between folders
 * @param url what an agent may cite
 * @param body plain text, without the title
 * @param language of the body
 */
record Page(String file, String url, String title, String body, Language language) {

  private static final int TITLE_CHARS_MAX = 200;

  Page(String file, String url, String title, String body) {
    this(file, url, title, body, Language.of(body));
  }

  /** Reads a document by the kind that its file name says: {@code .html}, {@code .md} or plain. */
  static Page of(String file, String url, String document) {
    String kind = file.toLowerCase(Locale.ROOT);
    if (kind.endsWith(".html")) {
      return titled(file, url, PlainText.titleOfHtml(document), PlainText.ofHtml(document));
    }
    String text = kind.endsWith(".md") ? PlainText.ofMarkdown(document) : document;
    String stripped = text.strip();
    int lineEnd = stripped.indexOf('\n');
    return lineEnd < 0
        ? titled(file, url, stripped, "")
        : titled(file, url, stripped.substring(0, lineEnd), stripped.substring(lineEnd).strip());
  }

  private static Page titled(String file, String url, String title, String body) {
    String line = PlainText.oneLine(title, TITLE_CHARS_MAX);
    return new Page(file, url, line.isEmpty() ? file : line, body);
  }
}
