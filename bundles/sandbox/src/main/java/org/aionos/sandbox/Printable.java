package org.aionos.sandbox;

/** What a program says, made fit for our log: it must not make lines of its own there. */
final class Printable {

  private Printable() {}

  static String of(String text) {
    StringBuilder printable = new StringBuilder(text.length());
    text.chars()
        .forEach(c -> printable.append(Character.isISOControl(c) || isBreak(c) ? ' ' : (char) c));
    return printable.toString();
  }

  /** What is no control character, and begins a line or turns one round all the same. */
  private static boolean isBreak(int c) {
    return c == 0x2028 || c == 0x2029 || c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069;
  }
}
