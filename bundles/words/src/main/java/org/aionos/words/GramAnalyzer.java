package org.aionos.words;

import java.io.IOException;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.AnalyzerWrapper;
import org.apache.lucene.analysis.TokenFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.tokenattributes.CharTermAttribute;

/** Cuts each word of another analyzer, with a space before and behind it, into grams. */
final class GramAnalyzer extends AnalyzerWrapper {

  private static final int LENGTH = 4;

  private final Analyzer words;

  GramAnalyzer(Analyzer words) {
    super(PER_FIELD_REUSE_STRATEGY);
    this.words = words;
  }

  @Override
  protected Analyzer getWrappedAnalyzer(String field) {
    return words;
  }

  @Override
  protected TokenStreamComponents wrapComponents(String field, TokenStreamComponents components) {
    return new TokenStreamComponents(
        components.getSource(), new Grams(components.getTokenStream()));
  }

  private static final class Grams extends TokenFilter {

    private final CharTermAttribute term = addAttribute(CharTermAttribute.class);
    private String word = "";
    private int next;

    Grams(TokenStream words) {
      super(words);
    }

    @Override
    public boolean incrementToken() throws IOException {
      if (next == 0 || next + LENGTH > word.length()) {
        if (!input.incrementToken()) {
          return false;
        }
        word = " " + term + " ";
        next = 0;
      }
      term.setEmpty().append(word, next, Math.min(word.length(), next + LENGTH));
      next++;
      return true;
    }

    @Override
    public void reset() throws IOException {
      super.reset();
      next = 0;
    }
  }
}
