package org.aionos.modelserver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;

/** Bytes on their way out. */
final class Wire {

  static final byte[] DONE = "data: [DONE]\n\n".getBytes(StandardCharsets.UTF_8);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] BEFORE = "data: ".getBytes(StandardCharsets.UTF_8);

  private Wire() {}

  static byte[] bytes(Object value) {
    try {
      return JSON.writeValueAsBytes(value);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static byte[] event(byte[] json) {
    byte[] event = new byte[BEFORE.length + json.length + 2];
    System.arraycopy(BEFORE, 0, event, 0, BEFORE.length);
    System.arraycopy(json, 0, event, BEFORE.length, json.length);
    event[event.length - 2] = '\n';
    event[event.length - 1] = '\n';
    return event;
  }

  static void answer(Response response, Callback callback, int status, byte[] json) {
    response.setStatus(status);
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
    response.write(true, ByteBuffer.wrap(json), callback);
  }

  static void refuse(Response response, Callback callback, int status, String why) {
    answer(
        response,
        callback,
        status,
        bytes(Map.of("error", Map.of("message", why, "type", "invalid_request_error"))));
  }

  static JsonNode read(byte[] body) throws java.io.IOException {
    return JSON.readTree(body);
  }
}
