package org.aionos.memory;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.aionos.items.ItemTexts;
import org.aionos.kernel.memory.Embedder;
import org.aionos.kernel.memory.Embedding;
import org.aionos.kernel.memory.Item;
import org.aionos.kernel.memory.ItemStore;
import org.aionos.kernel.memory.Page;
import org.aionos.kernel.memory.Place;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives texts their embeddings: when they are written, and in the background where that could not
 * be, or the model has become another. Without an embedder, and for languages that it does not
 * know, texts are found by their words.
 */
final class Embeddings {

  private static final Logger log = LoggerFactory.getLogger(Embeddings.class);

  private static final int AT_ONCE = 16;
  private static final String NONE = "";

  private volatile @Nullable Embedder embedder;

  /**
   * Identity of the model that all items have been looked at for; guarded by the caller's thread.
   */
  private String done = NONE;

  private volatile boolean away;

  /** Whether an item was written without the embedding that it should have. */
  private volatile boolean owing = true;

  synchronized void use(Embedder other) {
    embedder = other;
  }

  /** Another one may have come before this one goes. */
  synchronized void drop(Embedder gone) {
    embedder = embedder == gone ? null : embedder;
  }

  /** One for each content, null where there is none. */
  List<@Nullable Embedding> of(List<Item.Content> contents) {
    Embedder known = embedder;
    List<@Nullable Embedding> embeddings = new ArrayList<>();
    List<String> texts = new ArrayList<>();
    for (Item.Content content : contents) {
      String text = ItemTexts.of(content.value());
      embeddings.add(null);
      texts.add(known != null && !text.isEmpty() && known.knows(text) ? text : "");
    }
    List<String> wanted = texts.stream().filter(text -> !text.isEmpty()).toList();
    if (known == null || wanted.isEmpty()) {
      owing |= known == null;
      return embeddings;
    }
    try {
      List<Vector> vectors = known.embed(wanted);
      int next = 0;
      for (int i = 0; i < texts.size(); i++) {
        if (!texts.get(i).isEmpty()) {
          embeddings.set(i, new Embedding(known.identity(), vectors.get(next++)));
        }
      }
      away = false;
    } catch (StoreUnavailable away) {
      isAway(away);
      owing = true;
    }
    return embeddings;
  }

  /** Of what is looked for; null for none, and then words alone decide. */
  @Nullable Embedding probe(String text) {
    Embedder known = embedder;
    if (known == null || text.isBlank() || !known.knows(text)) {
      return null;
    }
    try {
      return new Embedding(known.identity(), known.probe(text));
    } catch (StoreUnavailable away) {
      isAway(away);
      return null;
    }
  }

  /** Said when it begins, not for each text. */
  private void isAway(StoreUnavailable why) {
    if (!away) {
      log.warn(
          "the embedding model does not answer; texts are stored without embeddings, which they get"
              + " later, and found by words alone: why={}",
          String.valueOf(why.getMessage()));
    }
    away = true;
  }

  /** Embeds what has no embedding of this model, a few at a time; one thread calls it. */
  void complete(Kind kind) {
    Embedder known = embedder;
    if (known == null || (known.identity().equals(done) && !owing)) {
      return;
    }
    owing = false;
    long embedded = 0;
    try {
      for (String tenant : kind.use(ItemStore::bytes).keySet()) {
        embedded += complete(kind, tenant, known);
      }
    } catch (StoreUnavailable away) {
      owing = true;
      return;
    }
    done = known.identity();
    if (embedded > 0) {
      log.info("memory embedded: items={} model={}", embedded, known.identity());
    }
  }

  private long complete(Kind kind, String tenant, Embedder known) {
    long embedded = 0;
    String after = null;
    do {
      String from = after;
      Page page = kind.use(store -> store.all(tenant, from, AT_ONCE));
      embedded += embed(kind, page.items(), known);
      after = page.next();
    } while (after != null && !Thread.currentThread().isInterrupted());
    return embedded;
  }

  private static int embed(Kind kind, List<Item> items, Embedder known) {
    Map<Item, String> texts = new LinkedHashMap<>();
    for (Item item : items) {
      Embedding has = item.embedding();
      String text = ItemTexts.of(item.content().value());
      if ((has == null || !has.model().equals(known.identity()))
          && !text.isEmpty()
          && known.knows(text)) {
        texts.put(item, text);
      }
    }
    if (texts.isEmpty()) {
      return 0;
    }
    List<Vector> vectors = known.embed(List.copyOf(texts.values()));
    int next = 0;
    for (Item item : texts.keySet()) {
      keep(kind, item, new Embedding(known.identity(), vectors.get(next++)));
    }
    return texts.size();
  }

  private static void keep(Kind kind, Item item, Embedding embedding) {
    Place place = item.place();
    kind.use(
        store -> {
          store.change(
              List.of(place),
              Long.MAX_VALUE,
              stored -> {
                Item now = stored.get(place);
                // Else it was written anew, with an embedding of its own.
                return now != null && now.content().equals(item.content())
                    ? Map.of(place, Optional.of(now.with(embedding)))
                    : Map.of();
              });
          return true;
        });
  }
}
