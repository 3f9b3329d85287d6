package org.aionos.model;

/** Counts tokens where nobody who knows has counted them. */
final class Tokens {

  /** As OpenAI gives it for English: four characters a token. */
  private static final int CHARACTERS_EACH = 4;

  /** Few texts take more of them. */
  private static final int BYTES_EACH_MIN = 3;

  private Tokens() {}

  static long about(long characters) {
    return (characters + CHARACTERS_EACH - 1) / CHARACTERS_EACH;
  }

  static long atMost(long bytes) {
    return (bytes + BYTES_EACH_MIN - 1) / BYTES_EACH_MIN;
  }
}
