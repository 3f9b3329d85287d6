package org.aionos.modelserver;

import java.util.Arrays;
import java.util.Locale;

/** Vectors in which texts with words in common are near each other; of length one. */
final class Embedding {

  static final int DIMENSIONS = 64;

  private Embedding() {}

  static double[] of(String text) {
    double[] vector = new double[DIMENSIONS];
    for (String word : text.toLowerCase(Locale.ROOT).split("\\W+")) {
      vector[Math.floorMod(word.hashCode() * 31, DIMENSIONS)] += 1;
    }
    double length = Math.sqrt(Arrays.stream(vector).map(each -> each * each).sum());
    return Arrays.stream(vector).map(each -> each / length).toArray();
  }
}
