package org.aionos.kernel.memory;

import java.util.Arrays;

/** Numbers that point somewhere. Never changes. */
public final class Vector {

  private final float[] numbers;

  private Vector(float[] numbers) {
    this.numbers = numbers;
  }

  public static Vector of(float... numbers) {
    return new Vector(numbers.clone());
  }

  public int dimensions() {
    return numbers.length;
  }

  /** A copy. */
  public float[] numbers() {
    return numbers.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Vector vector && Arrays.equals(numbers, vector.numbers);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(numbers);
  }

  @Override
  public String toString() {
    return numbers.length + " numbers";
  }
}
