package org.aionos.sandbox;

import java.time.Duration;

/**
 * What all processes of one worker may use together.
 *
 * @param cpuPercent of one processor; 200 is two
 * @param memoryBytesMax what they keep in {@code /tmp} included
 * @param processesMax processes and threads
 * @param tmpBytesMax of {@code /tmp}
 * @param outputBytesMax written to stdout and stderr in one call
 * @param wallMax of one call
 */
record Limits(
    int cpuPercent,
    long memoryBytesMax,
    int processesMax,
    long tmpBytesMax,
    long outputBytesMax,
    Duration wallMax) {}
