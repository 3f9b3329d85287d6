package org.aionos.tool;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The outside world as one call may see it. Each method checks the grant it needs before it acts,
 * and fails with {@code NOT_PERMITTED} where the caller's agent does not hold it.
 *
 * <p>Paths are relative to the workspace of the calling agent, use {@code /}, and may not leave it.
 */
@ProviderType
public interface Effects {

  /** Characters of {@link #progress}. */
  int PROGRESS_MESSAGE_LENGTH_MAX = 500;

  /** Of one {@link #partial}. */
  int PART_BYTES_MAX = 65_536;

  /**
   * Reads a whole UTF-8 text file. Needs {@code filesystem}.
   *
   * @throws ToolFailure {@code NOT_FOUND}, {@code TOO_LARGE}, {@code NOT_PERMITTED}, {@code
   *     BAD_ARGUMENT}
   */
  String readText(String path) throws ToolFailure;

  /**
   * Creates or replaces a UTF-8 text file, and the folders above it. Needs {@code filesystem}.
   *
   * @throws ToolFailure {@code TOO_LARGE}, {@code NOT_PERMITTED}, {@code BAD_ARGUMENT}
   */
  void writeText(String path, String text) throws ToolFailure;

  /**
   * Lists a folder: names in order, folders with a trailing {@code /}. Needs {@code filesystem}.
   *
   * @throws ToolFailure {@code NOT_FOUND}, {@code NOT_PERMITTED}, {@code BAD_ARGUMENT}
   */
  List<String> list(String path) throws ToolFailure;

  /**
   * Makes a request over HTTP. Needs {@code network}, and an egress rule of the operator that names
   * the host; each redirect is checked like a request of its own.
   *
   * @throws ToolFailure {@code NOT_PERMITTED}, {@code BAD_ARGUMENT}, {@code UPSTREAM_UNAVAILABLE},
   *     {@code TOO_LARGE}
   * @throws InterruptedException when the deadline passes
   */
  Fetched fetch(Fetch request) throws ToolFailure, InterruptedException;

  /**
   * Searches the documents that the operator keeps on this host. It stands in for the web, so it
   * needs {@code network}.
   *
   * @return the best first; empty if there is nothing
   * @throws ToolFailure {@code NOT_PERMITTED}, {@code UPSTREAM_UNAVAILABLE}
   * @throws InterruptedException when the deadline passes
   */
  default List<Found> search(Search query) throws ToolFailure, InterruptedException {
    throw new ToolFailure(ToolFailure.Code.UPSTREAM_UNAVAILABLE, "there are no documents here");
  }

  /**
   * What the operator set for this tool, as JSON values by name; empty where nothing was set. Needs
   * no grant. Never a secret: those stay with the egress broker.
   */
  default Map<String, @Nullable Object> settings() {
    return Map.of();
  }

  /**
   * Tells the caller how far this call is. Shown to callers who listen, and lost otherwise; never
   * waits for them. Needs no grant.
   *
   * @param done from 0 to 1; null if there is no telling
   * @param message at most {@value #PROGRESS_MESSAGE_LENGTH_MAX} characters; the rest is cut off
   * @throws ToolFailure {@code BAD_ARGUMENT} if {@code done} is no such number
   */
  default void progress(@Nullable Double done, String message) throws ToolFailure {}

  /**
   * Shows the caller a part of the result before the whole: the first items, a line of output. The
   * whole must still stand in the result, since nobody need be listening, and one who listens too
   * slowly misses parts. Never waits. Needs no grant.
   *
   * @param part JSON values by name
   * @throws ToolFailure {@code TOO_LARGE} beyond {@value #PART_BYTES_MAX} bytes, {@code
   *     BAD_ARGUMENT} if it is not JSON
   */
  default void partial(Map<String, @Nullable Object> part) throws ToolFailure {}
}
