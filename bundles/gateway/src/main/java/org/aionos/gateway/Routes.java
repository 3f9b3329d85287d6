package org.aionos.gateway;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;

/**
 * Which path is served by what. A path is matched segment by segment as it was sent; only the
 * variable segments are decoded, so an encoded slash can never make a new segment.
 */
final class Routes {

  /** Serves one request; throws {@link Refused} to refuse it. */
  interface Endpoint {
    void serve(Exchange exchange);
  }

  /** Who is let through to an endpoint. */
  enum Access {
    /** Anybody: it tells nothing about tenants. */
    OPEN,
    /** Anybody on this machine; from elsewhere, people with a role. */
    LOCAL,
    /** Whoever proves who it is. */
    PROVEN
  }

  record Route(String method, List<String> pattern, Access access, Endpoint endpoint) {}

  /** A route and what its variable segments stand for. */
  record Match(Route route, List<String> segments) {}

  private final List<Route> routes = new ArrayList<>();

  Routes add(String method, String pattern, Access access, Endpoint endpoint) {
    routes.add(new Route(method, split(pattern), access, endpoint));
    return this;
  }

  /**
   * Finds the route of a request.
   *
   * @throws Refused {@code NOT_FOUND}, {@code METHOD_NOT_ALLOWED}, {@code MALFORMED_REQUEST}
   */
  Match find(String method, String rawPath) {
    List<String> path = split(rawPath);
    Set<String> others = new TreeSet<>();
    for (Route route : routes) {
      if (matches(route.pattern, path)) {
        if (route.method.equals(method)) {
          return new Match(route, variables(route.pattern, path));
        }
        others.add(route.method);
      }
    }
    if (others.isEmpty()) {
      throw new Refused(
          Problem.of(Code.NOT_FOUND, "there is nothing at this path")
              .admittedBy("GET /openapi.yaml lists what there is"));
    }
    throw new Refused(
        Problem.of(Code.METHOD_NOT_ALLOWED, "this path does not take " + method)
            .admittedBy(String.join(", ", others)));
  }

  private static boolean matches(List<String> pattern, List<String> path) {
    if (pattern.size() != path.size()) {
      return false;
    }
    for (int i = 0; i < pattern.size(); i++) {
      if (!isVariable(pattern.get(i)) && !pattern.get(i).equals(path.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static List<String> variables(List<String> pattern, List<String> path) {
    List<String> variables = new ArrayList<>();
    for (int i = 0; i < pattern.size(); i++) {
      if (isVariable(pattern.get(i))) {
        variables.add(decode(path.get(i)));
      }
    }
    return variables;
  }

  private static String decode(String segment) {
    if (segment.indexOf('%') < 0) {
      return segment;
    }
    try {
      return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException malformed) {
      throw new Refused(Code.MALFORMED_REQUEST, "the path is not percent-encoded correctly");
    }
  }

  private static boolean isVariable(String part) {
    return part.startsWith("{");
  }

  private static List<String> split(String path) {
    return List.of((path.startsWith("/") ? path.substring(1) : path).split("/", -1));
  }
}
