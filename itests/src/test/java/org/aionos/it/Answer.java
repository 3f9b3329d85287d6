package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;

/** What the kernel answered. */
record Answer(int status, HttpHeaders headers, byte[] body) {

  private static final ObjectMapper JSON = new ObjectMapper();

  static Answer of(HttpResponse<byte[]> response) {
    return new Answer(response.statusCode(), response.headers(), response.body());
  }

  String text() {
    return new String(body, UTF_8);
  }

  JsonNode json() {
    try {
      return JSON.readTree(body);
    } catch (IOException notJson) {
      throw new UncheckedIOException("not JSON: " + text(), notJson);
    }
  }

  /** A field by JSON pointer, as text; empty if absent. */
  String at(String pointer) {
    return json().at(pointer).asText();
  }

  String code() {
    return at("/error/code");
  }

  String auditId() {
    return at("/audit_id");
  }

  Answer expect(int expected) {
    assertThat(status).as(text()).isEqualTo(expected);
    return this;
  }

  Answer expect(int expected, String expectedCode) {
    assertThat(status + " " + code()).as(text()).isEqualTo(expected + " " + expectedCode);
    return this;
  }

  @Override
  public String toString() {
    return status + " " + text();
  }
}
