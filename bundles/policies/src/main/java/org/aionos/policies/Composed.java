package org.aionos.policies;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/**
 * One version made of two: how fast things go is taken of one, what anybody may is kept of the
 * other. So it grants nobody more than the one that is kept.
 */
public final class Composed {

  private Composed() {}

  /**
   * Keeps everything of a version but {@code scheduler.yaml} and the order of each route, which are
   * taken of another.
   */
  public static PolicyDocument of(PolicyDocument kept, PolicyDocument performance) {
    Map<String, byte[]> files = new TreeMap<>(kept.files());
    byte[] scheduler = performance.files().get(PolicyDocument.SCHEDULER);
    if (scheduler == null) {
      files.remove(PolicyDocument.SCHEDULER);
    } else {
      files.put(PolicyDocument.SCHEDULER, scheduler);
    }
    Map<String, @Nullable Object> models = kept.values(PolicyDocument.MODELS);
    Map<String, @Nullable Object> ordered = performance.values(PolicyDocument.MODELS);
    if (models != null && ordered != null) {
      Map<String, @Nullable Object> both = inOrder(models, ordered);
      if (!both.equals(models)) {
        files.put(PolicyDocument.MODELS, yaml(both));
      }
    }
    try {
      return PolicyDocument.read(files);
    } catch (InvalidPolicy impossible) {
      throw new IllegalStateException("two good versions made a bad one", impossible);
    }
  }

  private static Map<String, @Nullable Object> inOrder(Map<?, ?> kept, Map<?, ?> ordered) {
    Map<String, @Nullable Object> both = new LinkedHashMap<>();
    kept.forEach(
        (name, value) ->
            both.put(String.valueOf(name), inOrder((Object) value, ordered.get(name))));
    return both;
  }

  private static @Nullable Object inOrder(@Nullable Object kept, @Nullable Object ordered) {
    if (kept instanceof Map<?, ?> map && ordered instanceof Map<?, ?> other) {
      return inOrder(map, other);
    }
    // Of lists models.yaml has routes only.
    return kept instanceof List<?> list
            && ordered instanceof List<?> other
            && list.size() == other.size()
            && new HashSet<>(list).equals(new HashSet<>(other))
        ? new ArrayList<>(other)
        : kept;
  }

  private static byte[] yaml(Map<String, @Nullable Object> values) {
    DumperOptions options = new DumperOptions();
    options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
    return new Yaml(options).dump(values).getBytes(UTF_8);
  }
}
