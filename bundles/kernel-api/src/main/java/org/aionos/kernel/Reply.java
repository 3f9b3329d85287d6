package org.aionos.kernel;

import java.time.Duration;

/**
 * What a caller is told: the outcome, how long it took, and the id under which the journal has it.
 */
public record Reply(String auditId, Outcome outcome, Duration took) {}
