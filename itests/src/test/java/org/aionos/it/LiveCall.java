package org.aionos.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** A syscall whose caller listens while it runs: reads server-sent events. */
final class LiveCall implements AutoCloseable {

  record Event(String name, JsonNode data) {}

  private final InputStream in;
  private final BufferedReader lines;
  final String auditId;

  private LiveCall(InputStream in) {
    this.in = in;
    this.lines = new BufferedReader(new InputStreamReader(in, UTF_8));
    Event started = next();
    assertThat(started.name()).isEqualTo("started");
    this.auditId = started.data().path("audit_id").asText();
  }

  static LiveCall begin(RunningKernel kernel, ObjectNode body) {
    return new LiveCall(kernel.stream(RunningKernel.RESEARCHER_V1, body));
  }

  Event next() {
    try {
      String name = null;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("event: ")) {
          name = line.substring(7);
        } else if (line.startsWith("data: ")) {
          return new Event(
              String.valueOf(name), RunningKernel.JSON.readTree(line.substring("data: ".length())));
        }
      }
      throw new AssertionError("the stream ended without a result");
    } catch (IOException broken) {
      throw new UncheckedIOException(broken);
    }
  }

  /** The next event, which must be of this name. */
  JsonNode expect(String name) {
    Event event = next();
    assertThat(event.name()).as(event.data().toString()).isEqualTo(name);
    return event.data();
  }

  /** All that comes, to the result. */
  List<Event> rest() {
    List<Event> events = new ArrayList<>();
    do {
      events.add(next());
    } while (!events.get(events.size() - 1).name().equals("result"));
    return events;
  }

  /** Hangs up. */
  @Override
  public void close() {
    try {
      in.close();
    } catch (IOException closedAlready) {
      throw new UncheckedIOException(closedAlready);
    }
  }
}
