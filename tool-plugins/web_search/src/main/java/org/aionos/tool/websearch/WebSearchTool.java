package org.aionos.tool.websearch;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.aionos.tool.Effects;
import org.aionos.tool.Tool;
import org.aionos.tool.ToolCall;
import org.aionos.tool.ToolFailure;
import org.aionos.tool.ToolResult;
import org.jspecify.annotations.Nullable;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Searches the web through a SearXNG-compatible endpoint. Without one, or when it fails, the
 * offline index answers, and the answer says so.
 *
 * <p>The endpoint is the operator's choice, never the agent's: the tool opens no other connection
 * and follows no redirect.
 *
 * <p>Name and version come from {@code AION-INF/tool.properties}, which the build fills in.
 */
@Component(properties = "AION-INF/tool.properties", configurationPid = "org.aionos.tool.web_search")
@Designate(ocd = WebSearchConfig.class)
public final class WebSearchTool implements Tool {

  private static final Logger log = LoggerFactory.getLogger(WebSearchTool.class);

  /** Kept back from the endpoint's time, so that the offline answer still meets the deadline. */
  private static final Duration OFFLINE_RESERVE = Duration.ofMillis(250);

  private final @Nullable SearxEndpoint endpoint;
  private final OfflineSearch offline;
  private final Duration endpointTimeMax;
  private final InstantSource clock;

  @Activate
  public WebSearchTool(WebSearchConfig config) {
    this(
        config.endpoint().isBlank()
            ? null
            : SearxEndpoint.at(config.endpoint().strip(), config.responseBytesMax()),
        config.documentsDir().isBlank()
            ? new OfflineSearch(BundledPages::read)
            : new OfflineSearch(() -> FolderPages.read(Path.of(config.documentsDir().strip()))),
        Duration.ofMillis(config.timeoutMillisMax()),
        InstantSource.system());
  }

  WebSearchTool(
      @Nullable SearxEndpoint endpoint,
      OfflineSearch offline,
      Duration endpointTimeMax,
      InstantSource clock) {
    this.endpoint = endpoint;
    this.offline = requireNonNull(offline, "offline");
    this.endpointTimeMax = requireNonNull(endpointTimeMax, "endpointTimeMax");
    this.clock = requireNonNull(clock, "clock");
    offline.begin();
  }

  @Deactivate
  void close() {
    offline.close();
    if (endpoint != null) {
      endpoint.close();
    }
  }

  @Override
  public ToolResult invoke(ToolCall call, Effects effects)
      throws ToolFailure, InterruptedException {
    SearchRequest request = SearchRequest.of(call);
    if (endpoint == null) {
      return answer("offline", offline.search(request), null);
    }
    try {
      return answer("searxng", endpoint.search(request, timeFor(call), call.traceId()), null);
    } catch (EndpointFailure failure) {
      log.warn("search endpoint failed: call={} why={}", call.id(), failure.why());
      return answer(
          "offline",
          offline.search(request),
          "the search endpoint failed, so the offline index answered: " + failure.why());
    }
  }

  private Duration timeFor(ToolCall call) {
    Duration left = Duration.between(clock.instant(), call.deadline()).minus(OFFLINE_RESERVE);
    return left.compareTo(endpointTimeMax) < 0 ? left : endpointTimeMax;
  }

  private static ToolResult answer(String source, List<SearchItem> items, @Nullable String note) {
    Map<String, @Nullable Object> value = new LinkedHashMap<>();
    value.put("items", items.stream().map(SearchItem::json).toList());
    value.put("source", source);
    if (note != null) {
      value.put("note", note);
    }
    return ToolResult.of(value);
  }
}
