/**
 * The tool {@code web_search}: a SearXNG instance where one is configured, and an offline full-text
 * index where none is, or where it fails.
 */
@NullMarked
package org.aionos.tool.websearch;

import org.jspecify.annotations.NullMarked;
