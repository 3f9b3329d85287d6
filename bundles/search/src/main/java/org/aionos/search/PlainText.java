package org.aionos.search;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.charfilter.HTMLStripCharFilter;

/** Text as a reader wants it: without markup, or on one line. */
final class PlainText {

  private static final Pattern GAP = Pattern.compile("[\\s\\p{Cntrl}\\p{Z}]+");
  private static final Pattern LINK =
      Pattern.compile("\\[([^\\[\\]\\n]{1,200})]\\([^()\\n]{0,500}\\)");
  private static final Pattern LINE_MARK =
      Pattern.compile("^ {0,3}(#{1,6} +|[-*+] +|> ?|```.*$)", Pattern.MULTILINE);
  private static final Pattern HTML_TITLE =
      Pattern.compile("<title[^<>]{0,200}>([^<]{0,2000})", Pattern.CASE_INSENSITIVE);
  private static final Pattern EMPHASIS = Pattern.compile("\\*\\*|__|`");

  private PlainText() {}

  /** Joins lines, drops control characters and cuts at the end of a word. */
  static String oneLine(String text, int charsMax) {
    String line = GAP.matcher(text).replaceAll(" ").strip();
    if (line.length() <= charsMax) {
      return line;
    }
    int space = line.lastIndexOf(' ', charsMax - 1);
    int end = space > charsMax / 2 ? space : charsMax - 1;
    // Never half of a surrogate pair.
    int whole = Character.isHighSurrogate(line.charAt(end - 1)) ? end - 1 : end;
    return line.substring(0, whole).stripTrailing() + "…";
  }

  static String ofMarkdown(String markdown) {
    String text = LINE_MARK.matcher(markdown).replaceAll("");
    text = LINK.matcher(text).replaceAll("$1");
    return EMPHASIS.matcher(text).replaceAll("");
  }

  /** Drops tags, comments, scripts and styles, and resolves entities. */
  static String ofHtml(String html) {
    try (Reader stripped = new HTMLStripCharFilter(new StringReader(html));
        StringWriter text = new StringWriter(html.length())) {
      stripped.transferTo(text);
      return text.toString();
    } catch (IOException impossible) {
      throw new UncheckedIOException(impossible);
    }
  }

  /** Returns what stands in the title element, or an empty text. */
  static String titleOfHtml(String html) {
    Matcher title = HTML_TITLE.matcher(html);
    return title.find() ? ofHtml(title.group(1)) : "";
  }
}
