package org.aionos.egress;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import org.aionos.kernel.Code;
import org.aionos.kernel.Problem;
import org.aionos.kernel.Refused;

/**
 * Where a request goes, in the one form that rules are written in: what cannot be read in only one
 * way is refused.
 *
 * @param scheme {@code https} or {@code http}
 * @param host in lower case, without a trailing dot
 * @param path raw, never empty, without dot segments in any disguise
 */
record Target(String scheme, String host, int port, String path, URI url) {

  private static final int LENGTH_MAX = 8_192;
  private static final int PORT_MAX = 65_535;

  static Target of(String text) {
    if (text.length() > LENGTH_MAX) {
      throw refused("has more than " + LENGTH_MAX + " characters");
    }
    try {
      return of(new URI(text));
    } catch (URISyntaxException malformed) {
      throw refused("is no URL: " + malformed.getReason());
    }
  }

  static Target of(URI url) {
    String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
    if (!scheme.equals("https") && !scheme.equals("http")) {
      throw refused("must begin with https:// or http://");
    }
    if (url.getRawUserInfo() != null) {
      throw refused("may not hold a user or password: the operator binds credentials to hosts");
    }
    String host = host(url);
    int port = url.getPort() == -1 ? (scheme.equals("https") ? 443 : 80) : url.getPort();
    if (port < 1 || port > PORT_MAX) {
      throw refused("has no such port");
    }
    String path = url.getRawPath() == null || url.getRawPath().isEmpty() ? "/" : url.getRawPath();
    checkPath(path);
    String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
    String authority = host.contains(":") ? "[" + host + "]" : host;
    return new Target(
        scheme,
        host,
        port,
        path,
        URI.create(scheme + "://" + authority + ":" + port + path + query));
  }

  private static String host(URI url) {
    String host = url.getHost();
    if (host == null || host.isEmpty()) {
      throw refused("names no host");
    }
    String bare =
        host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    String lower = bare.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }

  /**
   * A server may take {@code %2e%2e} for a parent folder, and a rule must not be gone around so.
   */
  private static void checkPath(String path) {
    for (String segment : path.split("/", -1)) {
      String plain = decoded(segment);
      if (plain.equals(".") || plain.equals("..") || plain.contains("/") || plain.contains("\\")) {
        throw refused("may not hold . or .. or an encoded slash in its path");
      }
    }
  }

  private static String decoded(String segment) {
    try {
      return URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException malformed) {
      throw refused("has a path that cannot be decoded");
    }
  }

  boolean isSameOriginAs(Target other) {
    return scheme.equals(other.scheme) && host.equals(other.host) && port == other.port;
  }

  private static Refused refused(String why) {
    return new Refused(Problem.at("/params/url", Code.INVALID_FIELD, "the URL " + why));
  }
}
