package org.aionos.policies;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** In what two versions differ, field by field. */
public final class Difference {

  /** A version that changes more is looked at file by file. */
  public static final int CHANGES_MAX = 1_000;

  private Difference() {}

  /** What a change is about. */
  public enum Matter {
    CAPABILITIES,
    BUDGET,
    TRUST,
    PRIVACY,
    GATES,
    MEMORY,
    PERFORMANCE;

    /** As it is written in answers. */
    public String written() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * One field that is another.
   *
   * @param pointer JSON pointer within the file; empty for the file as a whole
   * @param before null if it was not there
   * @param after null if it is not there any more
   */
  public record Change(
      String file,
      String pointer,
      @Nullable Object before,
      @Nullable Object after,
      Matter matter) {}

  /** The changes that lead from one version to another, at most {@link #CHANGES_MAX}. */
  public static List<Change> between(PolicyDocument from, PolicyDocument to) {
    List<Change> changes = new ArrayList<>();
    for (String file : PolicyDocument.FILES) {
      compare(file, "", from.values(file), to.values(file), changes);
    }
    return List.copyOf(changes);
  }

  private static void compare(
      String file,
      String pointer,
      @Nullable Object before,
      @Nullable Object after,
      List<Change> changes) {
    if (changes.size() >= CHANGES_MAX || Objects.equals(before, after)) {
      return;
    }
    if (before instanceof Map<?, ?> old && after instanceof Map<?, ?> young) {
      Set<String> names = new TreeSet<>();
      old.keySet().forEach(name -> names.add(String.valueOf(name)));
      young.keySet().forEach(name -> names.add(String.valueOf(name)));
      for (String name : names) {
        String at = pointer + "/" + name.replace("~", "~0").replace("/", "~1");
        compare(file, at, old.get(name), young.get(name), changes);
      }
      return;
    }
    changes.add(new Change(file, pointer, before, after, matter(file, pointer, before, after)));
  }

  private static Matter matter(
      String file, String pointer, @Nullable Object before, @Nullable Object after) {
    return switch (file) {
      case PolicyDocument.CAPABILITIES ->
          pointer.contains("/tools/trust") ? Matter.TRUST : Matter.CAPABILITIES;
      case PolicyDocument.QUOTAS -> Matter.BUDGET;
      case PolicyDocument.MEMORY -> Matter.MEMORY;
      case PolicyDocument.GATES -> Matter.GATES;
      case PolicyDocument.MODELS ->
          pointer.endsWith("/version") || reordered(before, after)
              ? Matter.PERFORMANCE
              : Matter.PRIVACY;
      default -> Matter.PERFORMANCE;
    };
  }

  private static boolean reordered(@Nullable Object before, @Nullable Object after) {
    return before instanceof List<?> old
        && after instanceof List<?> young
        && old.size() == young.size()
        && new HashSet<>(old).equals(new HashSet<>(young));
  }
}
