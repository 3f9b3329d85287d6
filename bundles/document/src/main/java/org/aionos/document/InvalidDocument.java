package org.aionos.document;

import java.io.Serial;

/**
 * A document that cannot be used: why, and at which JSON pointer. The message is safe to show to
 * its author.
 */
public final class InvalidDocument extends Exception {

  @Serial private static final long serialVersionUID = 1L;

  /** What kind of fault it is. */
  public enum Fault {
    NOT_UTF8,
    MALFORMED,
    DUPLICATE_KEY,
    TOO_DEEP,
    MISSING,
    INVALID
  }

  private final Fault fault;
  private final String pointer;
  private final String why;

  public InvalidDocument(Fault fault, String pointer, String message) {
    super(message, null, false, false);
    this.fault = fault;
    this.pointer = pointer;
    // A parser's message quotes what it found, be it fit to be written or not.
    this.why = Unwritable.writable(message);
  }

  public Fault fault() {
    return fault;
  }

  /** RFC 6901; empty for the document itself. */
  public String pointer() {
    return pointer;
  }

  /** What is wrong, without the pointer. */
  public String why() {
    return why;
  }

  /** Pointer and message in one line, for logs and shells. */
  public String describe() {
    return pointer.isEmpty() ? why : pointer + ": " + why;
  }
}
