package org.aionos.kernel.memory;

import java.util.List;
import org.osgi.annotation.versioning.ProviderType;

/** Makes vectors of texts, near to each other where the texts mean alike. Threads may share it. */
@ProviderType
public interface Embedder {

  /**
   * Names the model, its version and how it is asked. Two embedders of one identity give comparable
   * vectors; never changes while the service is there.
   */
  String identity();

  /**
   * Whether the model has learnt the language of this text. What it does not know it embeds near to
   * anything, which spoils a search.
   */
  boolean knows(String text);

  /**
   * One vector of unit length for each text, in their order. A text that is longer than the model
   * takes is cut.
   *
   * @throws StoreUnavailable if a model that is elsewhere does not answer
   */
  List<Vector> embed(List<String> texts);

  /** As {@link #embed}, of a text by which others are looked for: some models want it otherwise. */
  Vector probe(String text);
}
