package org.aionos.memory;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.aionos.kernel.memory.Hit;
import org.aionos.kernel.memory.Item;
import org.jspecify.annotations.Nullable;

/** Items as they stand in results. */
final class Answers {

  private Answers() {}

  /** All but the value. */
  static Map<String, @Nullable Object> about(Kind kind, Item item) {
    Instant expires = item.expiresAt();
    Map<String, @Nullable Object> about = new LinkedHashMap<>();
    about.put("type", kind.name);
    about.put("agent", item.place().agent().toString());
    about.put("task", item.place().task());
    about.put("key", item.place().key());
    about.put("meta", item.content().meta());
    about.put("tags", item.content().tags());
    about.put("version", item.version());
    about.put("pinned", item.pinned());
    about.put("created_at", item.createdAt().toString());
    about.put("updated_at", item.updatedAt().toString());
    about.put("expires_at", expires == null ? null : expires.toString());
    about.put("written_by", item.provenance().writtenBy());
    about.put("trust", item.provenance().trust().word());
    about.put("tool", item.provenance().tool());
    about.put("sources", item.provenance().sources());
    return about;
  }

  static Map<String, @Nullable Object> whole(Kind kind, Item item) {
    Map<String, @Nullable Object> whole = about(kind, item);
    whole.put("value", item.content().value());
    return whole;
  }

  static Map<String, @Nullable Object> hit(Kind kind, Distinct distinct, Instant now) {
    Hit hit = distinct.best();
    Map<String, @Nullable Object> why = new LinkedHashMap<>();
    why.put("lexical", hit.lexical());
    why.put("dense", hit.dense());
    Map<String, @Nullable Object> shown = whole(kind, hit.item());
    shown.put("score", hit.score());
    shown.put("why", why);
    shown.put("age_s", Math.max(0, Duration.between(hit.item().updatedAt(), now).toSeconds()));
    shown.put("same_as", distinct.others());
    return shown;
  }
}
