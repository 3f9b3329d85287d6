package org.aionos.gateway;

import org.aionos.kernel.Reply;

/** Reaches the gateway's writer. */
public final class AnswerWriting {

  private AnswerWriting() {}

  public static byte[] json(Reply reply) {
    return Answers.of(reply);
  }
}
