package org.aionos.embedding;

/** Vectors of length one: their product is the cosine of the angle between them. */
final class UnitLength {

  private UnitLength() {}

  /**
   * Scales in place.
   *
   * @return the same array; zeros stay zeros
   */
  static float[] of(float[] numbers) {
    double squares = 0;
    for (float number : numbers) {
      squares += number * (double) number;
    }
    if (squares > 0) {
      float scale = (float) (1 / Math.sqrt(squares));
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] *= scale;
      }
    }
    return numbers;
  }
}
