package org.aionos.kernel;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A request as it came off the wire, before anything in it is believed.
 *
 * @param target path and query exactly as sent
 * @param header value of a header by lower-case name, or null
 * @param body the raw bytes; not copied, must not be changed
 */
public record Presented(
    String method, String target, Function<String, @Nullable String> header, byte[] body) {}
