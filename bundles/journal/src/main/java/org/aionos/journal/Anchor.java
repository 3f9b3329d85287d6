package org.aionos.journal;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A signed statement: the chain may begin here, because what came before was deleted on purpose.
 *
 * @param first sequence of the oldest record kept
 * @param previous hash that it is chained to
 * @param reason {@code age} or {@code size}
 */
record Anchor(long first, String previous, String reason, String time) {

  static final String FILE = "anchors.jsonl";

  private static final Pattern BODY =
      Pattern.compile(
          "\"first_seq\":(\\d{1,18}),\"prev\":\"([0-9a-f]{64})\",\"reason\":\"([a-z]+)\","
              + "\"time\":\"([^\"]+)\"");

  String body() {
    return "\"first_seq\":%d,\"prev\":\"%s\",\"reason\":\"%s\",\"time\":\"%s\""
        .formatted(first, previous, reason, time);
  }

  static Optional<Anchor> parse(SignedLine line) {
    Matcher body = BODY.matcher(line.body());
    return body.matches()
        ? Optional.of(
            new Anchor(Long.parseLong(body.group(1)), body.group(2), body.group(3), body.group(4)))
        : Optional.empty();
  }
}
