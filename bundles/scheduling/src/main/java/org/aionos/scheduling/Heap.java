package org.aionos.scheduling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A binary heap whose elements know where they are, so that any of them is taken out in O(log n),
 * and one costs a pointer of room. The JDK's would look for it.
 */
final class Heap<E extends Heap.Element> {

  /** Can be in one heap at a time. */
  abstract static class Element {
    private int index = -1;

    final boolean isInHeap() {
      return index >= 0;
    }
  }

  private final Comparator<? super E> order;
  private final ArrayList<E> elements = new ArrayList<>(2);

  Heap(Comparator<? super E> order) {
    this.order = order;
  }

  int size() {
    return elements.size();
  }

  boolean isEmpty() {
    return elements.isEmpty();
  }

  /** The first; null if there is none. */
  @Nullable E peek() {
    return elements.isEmpty() ? null : elements.get(0);
  }

  /** In no order; to look at only. */
  List<E> elements() {
    return elements;
  }

  void add(E element) {
    if (((Element) element).index >= 0) {
      throw new IllegalStateException("is in a heap: " + element);
    }
    elements.add(element);
    up(elements.size() - 1, element);
  }

  void remove(E element) {
    int hole = ((Element) element).index;
    if (hole < 0 || elements.get(hole) != element) {
      throw new IllegalStateException("is not in this heap: " + element);
    }
    ((Element) element).index = -1;
    E last = elements.remove(elements.size() - 1);
    if (last != element) {
      down(hole, last);
      if (((Element) last).index == hole) {
        up(hole, last);
      }
    }
  }

  private void up(int from, E element) {
    int at = from;
    while (at > 0) {
      int parent = (at - 1) >>> 1;
      E other = elements.get(parent);
      if (order.compare(element, other) >= 0) {
        break;
      }
      put(at, other);
      at = parent;
    }
    put(at, element);
  }

  private void down(int from, E element) {
    int at = from;
    int size = elements.size();
    for (int child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && order.compare(elements.get(child + 1), elements.get(child)) < 0) {
        child++;
      }
      E other = elements.get(child);
      if (order.compare(element, other) <= 0) {
        break;
      }
      put(at, other);
      at = child;
    }
    put(at, element);
  }

  private void put(int at, E element) {
    elements.set(at, element);
    ((Element) element).index = at;
  }
}
