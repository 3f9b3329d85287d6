package org.aionos.embedding;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.document.Documents;
import org.aionos.document.Fields;
import org.aionos.document.InvalidDocument;
import org.aionos.kernel.memory.StoreUnavailable;
import org.aionos.kernel.memory.Vector;
import org.jspecify.annotations.Nullable;

/** Asks a server that speaks as OpenAI's {@code /v1/embeddings}; most local ones do. */
final class EmbeddingServer {

  /** Of an answer: 100 vectors of 4,096 numbers, written long. */
  private static final int ANSWER_BYTES_MAX = 16 << 20;

  private static final int DIMENSIONS_MAX = 1_024;

  private final URI address;
  private final String model;
  private final @Nullable String key;
  private final int millisMax;

  EmbeddingServer(URI base, String model, @Nullable String key, int millisMax) {
    this.address = URI.create(base.toString().replaceAll("/+$", "") + "/embeddings");
    this.model = model;
    this.key = key;
    this.millisMax = millisMax;
  }

  /**
   * @throws StoreUnavailable if it does not answer, or with nonsense
   */
  List<Vector> embed(List<String> texts) {
    Map<String, Object> question = new LinkedHashMap<>();
    question.put("model", model);
    question.put("input", texts);
    try {
      return vectors(Documents.json(asked(Documents.write(question))), texts.size());
    } catch (IOException | InvalidDocument | IllegalArgumentException failed) {
      throw new StoreUnavailable("the server that embeds texts does not answer", failed);
    }
  }

  private byte[] asked(byte[] question) throws IOException {
    HttpURLConnection connection = (HttpURLConnection) address.toURL().openConnection();
    try {
      connection.setConnectTimeout(millisMax);
      connection.setReadTimeout(millisMax);
      connection.setInstanceFollowRedirects(false);
      connection.setRequestMethod("POST");
      connection.setDoOutput(true);
      connection.setRequestProperty("Content-Type", "application/json");
      if (key != null) {
        connection.setRequestProperty("Authorization", "Bearer " + key);
      }
      try (OutputStream out = connection.getOutputStream()) {
        out.write(question);
      }
      if (connection.getResponseCode() != 200) {
        throw new IOException("status " + connection.getResponseCode());
      }
      try (InputStream in = connection.getInputStream()) {
        byte[] answer = in.readNBytes(ANSWER_BYTES_MAX + 1);
        if (answer.length > ANSWER_BYTES_MAX) {
          throw new IOException("an answer of more than " + ANSWER_BYTES_MAX + " bytes");
        }
        return answer;
      }
    } finally {
      connection.disconnect();
    }
  }

  private static List<Vector> vectors(Fields answer, int wanted) throws InvalidDocument {
    List<@Nullable Vector> vectors = new ArrayList<>();
    for (int i = 0; i < wanted; i++) {
      vectors.add(null);
    }
    for (Fields each : answer.list("data")) {
      int index = (int) each.wholeNumber("index", 0, 0, wanted - 1);
      vectors.set(index, vector(each));
    }
    if (vectors.contains(null)) {
      throw answer.invalid("data", "has not as many vectors as texts were sent");
    }
    return List.copyOf(vectors);
  }

  private static Vector vector(Fields each) throws InvalidDocument {
    if (!(each.value("embedding") instanceof List<?> numbers)
        || numbers.isEmpty()
        || numbers.size() > DIMENSIONS_MAX) {
      throw each.invalid("embedding", "must be 1 to " + DIMENSIONS_MAX + " numbers");
    }
    float[] vector = new float[numbers.size()];
    for (int i = 0; i < vector.length; i++) {
      if (!(numbers.get(i) instanceof Number number) || !Float.isFinite(number.floatValue())) {
        throw each.invalid("embedding", "must be numbers");
      }
      vector[i] = number.floatValue();
    }
    return Vector.of(UnitLength.of(vector));
  }

  /** Names what compares, and neither address nor key. */
  String identity() {
    return "server-" + model;
  }
}
