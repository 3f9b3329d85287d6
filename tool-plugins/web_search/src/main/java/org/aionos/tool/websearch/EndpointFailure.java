package org.aionos.tool.websearch;

import java.io.Serial;

/** The endpoint gave no usable answer. The message is shown to agents: no URL, no secret. */
final class EndpointFailure extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  EndpointFailure(String message) {
    super(message);
  }

  String why() {
    return String.valueOf(getMessage());
  }
}
