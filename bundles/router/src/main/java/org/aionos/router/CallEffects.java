package org.aionos.router;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.aionos.kernel.Egress;
import org.aionos.kernel.Interim;
import org.aionos.kernel.Refused;
import org.aionos.kernel.SearchIndex;
import org.aionos.tool.Effects;
import org.aionos.tool.Fetch;
import org.aionos.tool.Fetched;
import org.aionos.tool.Found;
import org.aionos.tool.Search;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolFailure.Code;
import org.jspecify.annotations.Nullable;

/** The outside world of one call: bounded by its grants, and dead once it has ended. */
final class CallEffects implements Effects, AutoCloseable {

  private static final String FILESYSTEM = "filesystem";
  private static final String NETWORK = "network";

  private final Set<String> grants;
  private final Workspace workspace;
  private final @Nullable Egress egress;
  private final Egress.Via via;
  private final @Nullable SearchIndex documents;
  private final Map<String, @Nullable Object> settings;
  private final Consumer<Interim> interim;
  private volatile boolean ended;

  /**
   * @param egress null while it is being replaced
   * @param documents null while they are being replaced
   * @param settings of the tool
   */
  CallEffects(
      Set<String> grants,
      Workspace workspace,
      @Nullable Egress egress,
      Egress.Via via,
      @Nullable SearchIndex documents,
      Map<String, @Nullable Object> settings,
      Consumer<Interim> interim) {
    this.grants = grants;
    this.workspace = workspace;
    this.egress = egress;
    this.via = via;
    this.documents = documents;
    this.settings = settings;
    this.interim = interim;
  }

  @Override
  public String readText(String path) throws ToolFailure {
    require(FILESYSTEM);
    return workspace.readText(path);
  }

  @Override
  public void writeText(String path, String text) throws ToolFailure {
    require(FILESYSTEM);
    workspace.writeText(path, text);
  }

  @Override
  public List<String> list(String path) throws ToolFailure {
    require(FILESYSTEM);
    return workspace.list(path);
  }

  @Override
  public Fetched fetch(Fetch request) throws ToolFailure, InterruptedException {
    require(NETWORK);
    if (egress == null) {
      throw new ToolFailure(Code.UPSTREAM_UNAVAILABLE, "the egress broker is being replaced");
    }
    try {
      return egress.fetch(request, via);
    } catch (Refused refused) {
      throw new ToolFailure(code(refused.problem().code()), refused.problem().message());
    }
  }

  @Override
  public List<Found> search(Search query) throws ToolFailure, InterruptedException {
    require(NETWORK);
    if (documents == null) {
      throw new ToolFailure(Code.UPSTREAM_UNAVAILABLE, "the document search is being replaced");
    }
    try {
      return documents.search(query);
    } catch (Refused refused) {
      throw new ToolFailure(code(refused.problem().code()), refused.problem().message());
    }
  }

  @Override
  public Map<String, @Nullable Object> settings() {
    return settings;
  }

  @Override
  public void progress(@Nullable Double done, String message) throws ToolFailure {
    requireAlive();
    if (done != null && !(done >= 0 && done <= 1)) {
      throw new ToolFailure(Code.BAD_ARGUMENT, "progress is from 0 to 1, and not " + done);
    }
    interim.accept(new Interim.Progress(done, cut(message)));
  }

  @Override
  public void partial(Map<String, @Nullable Object> part) throws ToolFailure {
    requireAlive();
    try {
      interim.accept(new Interim.Partial(new ResultCheck(PART_BYTES_MAX).checked(part)));
    } catch (Refused refused) {
      throw new ToolFailure(
          refused.problem().code() == org.aionos.kernel.Code.RESULT_TOO_LARGE
              ? Code.TOO_LARGE
              : Code.BAD_ARGUMENT,
          refused.problem().message());
    }
  }

  private static String cut(String message) {
    if (message.length() <= PROGRESS_MESSAGE_LENGTH_MAX) {
      return message;
    }
    // Never through the middle of a character.
    boolean half = Character.isHighSurrogate(message.charAt(PROGRESS_MESSAGE_LENGTH_MAX - 1));
    return message.substring(0, PROGRESS_MESSAGE_LENGTH_MAX - (half ? 1 : 0));
  }

  private static Code code(org.aionos.kernel.Code refusal) {
    return switch (refusal) {
      case EGRESS_DENIED -> Code.NOT_PERMITTED;
      case INVALID_FIELD -> Code.BAD_ARGUMENT;
      case RESULT_TOO_LARGE -> Code.TOO_LARGE;
      default -> Code.UPSTREAM_UNAVAILABLE;
    };
  }

  private void requireAlive() {
    if (ended) {
      throw new IllegalStateException("the call has ended; its effects ended with it");
    }
  }

  private void require(String capability) throws ToolFailure {
    requireAlive();
    if (!grants.contains(capability)) {
      throw new ToolFailure(
          Code.NOT_PERMITTED, "the agent of this call does not hold " + capability);
    }
  }

  @Override
  public void close() {
    ended = true;
  }
}
