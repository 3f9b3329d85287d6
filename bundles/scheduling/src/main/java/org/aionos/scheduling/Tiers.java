package org.aionos.scheduling;

import java.util.Arrays;
import java.util.List;
import org.aionos.kernel.task.Tier;
import org.jspecify.annotations.Nullable;

/** The tiers, the highest first, and how they share the slots. */
final class Tiers {

  private final Present present;
  private final List<Queue> all;

  Tiers(Present present) {
    this.present = present;
    this.all = Arrays.stream(Tier.values()).map(tier -> new Queue(tier, present)).toList();
  }

  List<Queue> all() {
    return all;
  }

  Queue of(Tier tier) {
    return all.get(tier.ordinal());
  }

  /** Lets time pass in which nobody came or went. */
  void accrue(long fromMillis, long toMillis) {
    if (anyContending()) {
      entitle();
      all.forEach(queue -> queue.accrue(toMillis - fromMillis));
    } else {
      // Nobody wants what the others have, so it is nobody's debt.
      all.forEach(queue -> queue.credit = 0);
    }
    all.forEach(queue -> queue.count(fromMillis, toMillis));
  }

  boolean anyContending() {
    for (Queue queue : all) {
      if (queue.isContending()) {
        return true;
      }
    }
    return false;
  }

  /**
   * Shares the slots by weight among the tiers that want some. A tier that has all it wants leaves
   * to the others what it does not use of its share.
   */
  void entitle() {
    double slots = present.rules.slots();
    int open = 0;
    for (Queue queue : all) {
      open |= queue.isActive() ? 1 << queue.tier.ordinal() : 0;
      queue.entitled = 0;
    }
    for (Queue content = content(open, slots); content != null; content = content(open, slots)) {
      content.entitled = content.running;
      slots -= content.running;
      open &= ~(1 << content.tier.ordinal());
    }
    long weights = weights(open);
    for (Queue queue : all) {
      if (isOpen(queue, open)) {
        queue.entitled = Math.max(0, slots) * queue.weight() / weights;
      }
    }
  }

  /** A tier that has no more than its share, and wants no more. */
  private @Nullable Queue content(int open, double slots) {
    long weights = weights(open);
    for (Queue queue : all) {
      if (isOpen(queue, open)
          && !queue.isContending()
          && (double) queue.running * weights <= slots * queue.weight()) {
        return queue;
      }
    }
    return null;
  }

  private long weights(int open) {
    long weights = 0;
    for (Queue queue : all) {
      weights += isOpen(queue, open) ? queue.weight() : 0;
    }
    return weights;
  }

  private static boolean isOpen(Queue queue, int open) {
    return (open & (1 << queue.tier.ordinal())) != 0;
  }

  /**
   * Whose turn it is: of those that are owed a slot the one that has waited longest for its share,
   * else the highest. Null if nobody waits.
   */
  @Nullable Queue next() {
    Queue next = null;
    for (Queue queue : all) {
      if (queue.isContending() && (next == null || isBefore(queue, next))) {
        next = queue;
      }
    }
    return next;
  }

  /** Of two contending tiers, whether the lower goes first. */
  private static boolean isBefore(Queue lower, Queue higher) {
    return lower.isOwed() && (!higher.isOwed() || lower.behindMillis() > higher.behindMillis());
  }
}
