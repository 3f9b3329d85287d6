/**
 * Reads JSON and YAML that nobody has vouched for, strictly, and says where it is wrong. Linked
 * privately into each bundle that reads documents.
 */
@NullMarked
package org.aionos.document;

import org.jspecify.annotations.NullMarked;
