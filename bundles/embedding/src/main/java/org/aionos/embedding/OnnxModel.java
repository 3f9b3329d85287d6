package org.aionos.embedding;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Vector;

/**
 * A BERT model in ONNX Runtime. Each text takes one core; no more texts than {@code threads} are
 * read at once, so that embedding does not take the machine from all the rest.
 */
final class OnnxModel implements AutoCloseable {

  /** Texts of one batch: longer ones stretch the shorter, and take memory for it. */
  private static final int BATCH = 16;

  private final OrtEnvironment environment;
  private final OrtSession session;
  private final WordPiece pieces;
  private final boolean meanOfAll;
  private final int tokensMax;
  private final int threads;
  private final Semaphore cores;
  private volatile boolean closed;

  private OnnxModel(
      OrtEnvironment environment,
      OrtSession session,
      WordPiece pieces,
      boolean meanOfAll,
      int tokensMax,
      int threads) {
    this.environment = environment;
    this.session = session;
    this.pieces = pieces;
    this.meanOfAll = meanOfAll;
    this.tokensMax = tokensMax;
    this.threads = threads;
    this.cores = new Semaphore(threads);
  }

  /**
   * @param meanOfAll whether a text's vector is the mean of its pieces', or that of its beginning
   */
  static OnnxModel open(Path model, WordPiece pieces, boolean meanOfAll, int tokensMax, int threads)
      throws OrtException {
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(1);
      options.setInterOpNumThreads(1);
      // Waiting threads must not burn.
      options.addConfigEntry("session.intra_op.allow_spinning", "0");
      OrtSession session = environment.createSession(model.toString(), options);
      return new OnnxModel(environment, session, pieces, meanOfAll, tokensMax, threads);
    }
  }

  List<Vector> embed(List<String> texts) {
    List<Vector> vectors = new ArrayList<>();
    cores.acquireUninterruptibly();
    try {
      if (closed) {
        throw new StoreUnavailable("the embedding model is being replaced");
      }
      for (int from = 0; from < texts.size(); from += BATCH) {
        vectors.addAll(batch(texts.subList(from, Math.min(texts.size(), from + BATCH))));
      }
      return vectors;
    } catch (OrtException failed) {
      throw new StoreUnavailable("the embedding model failed", failed);
    } finally {
      cores.release();
    }
  }

  private List<Vector> batch(List<String> texts) throws OrtException {
    List<long[]> ids = texts.stream().map(text -> pieces.ids(text, tokensMax)).toList();
    int length = ids.stream().mapToInt(each -> each.length).max().orElse(0);
    LongBuffer tokens = LongBuffer.allocate(texts.size() * length);
    LongBuffer mask = LongBuffer.allocate(texts.size() * length);
    LongBuffer types = LongBuffer.allocate(texts.size() * length);
    for (int i = 0; i < ids.size(); i++) {
      for (int t = 0; t < ids.get(i).length; t++) {
        tokens.put(i * length + t, ids.get(i)[t]);
        mask.put(i * length + t, 1);
      }
    }
    long[] shape = {texts.size(), length};
    try (OnnxTensor tokensIn = OnnxTensor.createTensor(environment, tokens, shape);
        OnnxTensor maskIn = OnnxTensor.createTensor(environment, mask, shape);
        OnnxTensor typesIn = OnnxTensor.createTensor(environment, types, shape)) {
      Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
      inputs.put("input_ids", tokensIn);
      inputs.put("attention_mask", maskIn);
      // Not all models know two kinds of text.
      if (session.getInputNames().contains("token_type_ids")) {
        inputs.put("token_type_ids", typesIn);
      }
      try (OrtSession.Result result = session.run(inputs)) {
        return pooled(((OnnxTensor) result.get(0)).getFloatBuffer(), ids, length);
      }
    }
  }

  private List<Vector> pooled(FloatBuffer hidden, List<long[]> ids, int length) {
    int dimensions = hidden.remaining() / (ids.size() * length);
    List<Vector> vectors = new ArrayList<>();
    for (int i = 0; i < ids.size(); i++) {
      float[] sum = new float[dimensions];
      int counted = meanOfAll ? ids.get(i).length : 1;
      for (int t = 0; t < counted; t++) {
        for (int d = 0; d < dimensions; d++) {
          sum[d] += hidden.get((i * length + t) * dimensions + d);
        }
      }
      vectors.add(Vector.of(UnitLength.of(sum)));
    }
    return vectors;
  }

  /** Whoever is reading a text reads it to its end. */
  @Override
  public void close() throws OrtException {
    cores.acquireUninterruptibly(threads);
    closed = true;
    cores.release(threads);
    session.close();
  }
}
