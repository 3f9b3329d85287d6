package org.aionos.journal;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A signed statement: at this time the chain reached this record, whose hash is this. It covers all
 * records before it, too.
 *
 * @param first sequence of the oldest record kept then
 * @param sequence of the newest record
 * @param openFrom no call whose intent stands before this record was still without outcome
 * @param head hash of the newest record
 */
record Checkpoint(long first, long sequence, long openFrom, String head, String time) {

  static final String FILE = "checkpoints.jsonl";

  private static final Pattern BODY =
      Pattern.compile(
          "\"first_seq\":(\\d{1,18}),\"seq\":(\\d{1,18}),\"count\":(\\d{1,18}),"
              + "\"open_from\":(\\d{1,18}),\"head\":\"([0-9a-f]{64})\",\"time\":\"([^\"]+)\"");

  String body() {
    return "\"first_seq\":%d,\"seq\":%d,\"count\":%d,\"open_from\":%d,\"head\":\"%s\",\"time\":\"%s\""
        .formatted(first, sequence, sequence - first + 1, openFrom, head, time);
  }

  static Optional<Checkpoint> parse(SignedLine line) {
    Matcher body = BODY.matcher(line.body());
    return body.matches()
        ? Optional.of(
            new Checkpoint(
                Long.parseLong(body.group(1)),
                Long.parseLong(body.group(2)),
                Long.parseLong(body.group(4)),
                body.group(5),
                body.group(6)))
        : Optional.empty();
  }
}
