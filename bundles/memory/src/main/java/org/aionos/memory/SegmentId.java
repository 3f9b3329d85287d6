package org.aionos.memory;

import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Optional;
import java.util.UUID;
import org.aionos.kernel.AgentId;

/**
 * Names a segment, on disk and in the object store. The UUID (version 8) begins with the number of
 * the first change in it, so that an agent's segments sort as they were written.
 *
 * @param day of UTC on which it was begun
 */
record SegmentId(AgentId agent, LocalDate day, UUID uuid) implements Comparable<SegmentId> {

  static final String TOP = "episodic/";

  private static final String ENDING = ".jsonl";
  private static final int CHANGE_SHIFT = 16;
  private static final long VERSION = 0x8000;
  private static final long CHANCE = 0x0fff;

  static SegmentId of(AgentId agent, LocalDate day, long firstChange) {
    UUID chance = UUID.randomUUID();
    return new SegmentId(
        agent,
        day,
        new UUID(
            (firstChange << CHANGE_SHIFT) | VERSION | (chance.getMostSignificantBits() & CHANCE),
            chance.getLeastSignificantBits()));
  }

  long firstChange() {
    return uuid.getMostSignificantBits() >>> CHANGE_SHIFT;
  }

  String folderName() {
    return TOP + agent.tenant() + "/" + agent.name() + "/" + day;
  }

  String objectName() {
    return folderName() + "/" + uuid + ENDING;
  }

  /** Empty for what is not the name of a segment. */
  static Optional<SegmentId> parse(String objectName) {
    String[] parts = objectName.split("/", -1);
    if (parts.length != 5 || !objectName.startsWith(TOP) || !parts[4].endsWith(ENDING)) {
      return Optional.empty();
    }
    try {
      SegmentId id =
          new SegmentId(
              new AgentId(parts[1], parts[2]),
              LocalDate.parse(parts[3]),
              UUID.fromString(parts[4].substring(0, parts[4].length() - ENDING.length())));
      return id.objectName().equals(objectName) ? Optional.of(id) : Optional.empty();
    } catch (DateTimeParseException | IllegalArgumentException other) {
      return Optional.empty();
    }
  }

  /** Within an agent as they were written. */
  @Override
  public int compareTo(SegmentId other) {
    int order = agent.toString().compareTo(other.agent.toString());
    order = order == 0 ? Long.compare(firstChange(), other.firstChange()) : order;
    order = order == 0 ? day.compareTo(other.day) : order;
    return order == 0 ? uuid.compareTo(other.uuid) : order;
  }
}
